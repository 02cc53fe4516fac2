"""What the embedded road tells of its work: results of a stretch, and counts so far."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from streams.documents import RumorDocument
from streams.effects import Assigned, Merged, Moved, Raised
from streams.records import Dead
from streams.time import NEVER


class Results(msgspec.Struct, array_like=True):
    """What the folds said about one stretch of the log."""

    assigned: list[Assigned]
    merged: list[Merged]
    raised: list[Raised]
    closed: list[RumorDocument]
    dead: list[Dead]
    moved: list[Moved] = []  # by splits, after `assigned` and `merged`


class Progress(NamedTuple):
    """Counts so far, by what the folds said."""

    posts_in: int = 0
    folded: int = 0
    duplicates: int = 0
    late: int = 0
    dead: int = 0
    suggest: int = 0
    confirm: int = 0
    only_suggest: int = 0  # alerts that have not gone on to `confirm`
    watermark: int = NEVER
    open_rumors: int = 0
    micro_clusters: int = 0  # active
