"""What the alert fold says besides documents: the lines of a replay's files."""

from __future__ import annotations

import msgspec

from streams.documents import Batch, Level, RumorDocument, Signal
from streams.records import DoorPost


class Assigned(msgspec.Struct, frozen=True, kw_only=True):
    """A post that a cluster fold took in, duplicates and late ones included, in folded order."""

    source: str
    post_id: str
    outcome: int  # Outcome
    duplicate_of: str | None
    micro: str | None
    rumor: str | None  # right after the change that holds the post
    event: str | None


class Merged(msgspec.Struct, frozen=True, kw_only=True):
    """From here on the loser's id answers with its heir; rumors and events alike."""

    loser: str
    heir: str


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """A folded post that an analyst's split took to another rumor."""

    post: DoorPost
    leaves: str  # the micro-cluster in which it lay
    micro: str  # ... and in which it lies from here on; the same when all of it moved
    rumor: str


class Raised(msgspec.Struct, frozen=True, kw_only=True):
    """An alert reached a level for the first time."""

    alert_id: str
    level: Level
    raised_at: int  # watermark, ms
    raised_by: str  # the last folded post
    rumor_id: str
    first_post_at: int
    post_ids: list[str]  # all folded posts of the rumor, in order
    headline: str
    score: float
    signals: list[Signal]
    category: str | None
    languages: list[str]


class Effects(msgspec.Struct, kw_only=True):
    """All that one change brought about, in the order in which it happened."""

    assigned: list[Assigned] = []
    merged: list[Merged] = []
    moved: list[Moved] = []
    raised: list[Raised] = []
    closed: list[RumorDocument] = []  # rumors of two or more posts that left the window
    batch: Batch = msgspec.field(default_factory=Batch)
    dead: int = 0
    watermark: int = 0
