"""The topic `assignments` (`--record`): what the alert fold said about each change, for audits."""

from __future__ import annotations

import msgspec

from streams.documents import RumorDocument
from streams.effects import Assigned, Effects, Merged, Raised
from streams.records import Change


class Recorded(msgspec.Struct, array_like=True):
    """The effects of one change. After a crash a change is recorded again: (partition, sequence) names it."""

    partition: int
    sequence: int
    assigned: list[Assigned]
    merged: list[Merged]
    raised: list[Raised]
    closed: list[RumorDocument]
    dead: int


def record_of(change: Change, effects: Effects) -> Recorded:
    return Recorded(
        change.partition,
        change.sequence,
        effects.assigned,
        effects.merged,
        effects.raised,
        effects.closed,
        effects.dead,
    )
