"""The topic `assignments` (`--record`): what the alert fold said about each record, for audits."""

from __future__ import annotations

import msgspec

from streams.documents import RumorDocument
from streams.effects import Assigned, Effects, Merged, Moved, Raised
from streams.inputs import RumorInput
from streams.records import Change

DECIDED = -1
"""In place of a partition: the effects of an analyst's action or of another record that is no change."""


class Recorded(msgspec.Struct, array_like=True):
    """The effects of one record. After a crash it is recorded again: (partition, sequence) names it."""

    partition: int  # DECIDED for what is no change
    sequence: int  # of the change, or the fold's version
    assigned: list[Assigned]
    merged: list[Merged]
    raised: list[Raised]
    closed: list[RumorDocument]
    dead: int
    moved: list[Moved] = []


def record_of(record: RumorInput, effects: Effects, version: int) -> Recorded:
    """`version`: the fold's after the record."""
    change = record if isinstance(record, Change) else None
    return Recorded(
        change.partition if change else DECIDED,
        change.sequence if change else version,
        effects.assigned,
        effects.merged,
        effects.raised,
        effects.closed,
        effects.dead,
        effects.moved,
    )
