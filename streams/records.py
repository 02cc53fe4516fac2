"""What flows: posts, frames, changes. The one place that says which fields a record carries.

Columns, not objects: a frame or a change holds one numpy array (or list) per field, one row per post,
because the folds work on whole blocks and a Python object per post would cost more than the work.
All times are integers, milliseconds since 1970-01-01 UTC.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Literal

import msgspec
import numpy as np

Kind = Literal["post", "tip", "correction"]
KINDS: tuple[Kind, ...] = ("post", "tip", "correction")


class Outcome(IntEnum):
    """What became of an input post; every input post has exactly one."""

    FOLDED = 0
    DUPLICATE = 1
    LATE = 2
    DEAD = 3


class Flag(IntFlag):
    """What is read off a post's text at the door, so that no fold needs the text."""

    ENQUIRY = 1  # asks whether it is true
    DENIAL = 2  # says that it is not true
    URGENT = 4  # calls to share, act or beware
    AGENCY = 8  # speaks of or as an authority (police, bank, ministry, ...)
    ADVERT = 16  # offers goods or services
    POSING = 32  # speaks as an authority that demands money, data or an installation
    GREETING = 64  # wishes a good morning, good night, good health
    HARM = 128  # is of a category that may hurt people; set with the category, not by a lexicon


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """A valid input post: times resolved, nothing masked or pseudonymised yet. Never leaves the door."""

    source: str
    id: str
    text: str
    created_at: int
    received_at: int
    lang: str | None = None
    author: str | None = None
    platform: str | None = None
    community: str | None = None
    url: str | None = None
    reply_to: str | None = None
    repost_of: str | None = None
    reach: int = 0
    kind: Kind = "post"


class Dead(msgspec.Struct, frozen=True, kw_only=True):
    """An input record that is no valid post: why, and its masked remains."""

    source: str
    id: str | None
    reason: str  # a word of `streams.validation.REASONS`
    detail: str  # one line for a person
    input: str  # "file name:line" or "topic/partition/offset"
    raw: str  # masked, cut at 4,096 characters; of a refused document all of it, as JSON


class DoorPost(msgspec.Struct, frozen=True, kw_only=True):
    """A post as it leaves the door: masked text, pseudonym, flags. No author, no raw text."""

    source: str
    id: str
    created_at: int
    text: str  # masked, at most `intake.max_text` characters
    lang: str  # ISO 639-1 or "und"
    voice: (
        int  # 64-bit keyed hash of (platform or source, author); without author that of the wording
    )
    wording: (
        int  # 64-bit hash of the folded words: equal for near-copies; 0 when the text has no word
    )
    flags: int  # Flag bits
    kind: int  # index into KINDS
    reach: int
    platform: str | None
    community: str | None
    url: str | None
    reply_to: str | None
    repost_of: str | None


class PostColumns(msgspec.Struct, kw_only=True):
    """The posts of a frame; row i of every column is the same post. n posts, m features in all."""

    source: list[str]
    id: list[str]
    text: list[str]
    lang: list[str]
    platform: list[str | None]
    community: list[str | None]
    url: list[str | None]
    reply_to: list[str | None]
    repost_of: list[str | None]
    category: list[str]  # id in the door's taxonomy
    created_at: np.ndarray  # int64 (n,), ms
    voice: np.ndarray  # uint64 (n,)
    wording: np.ndarray  # uint64 (n,)
    flags: np.ndarray  # uint32 (n,)
    sure: np.ndarray  # uint8 (n,): percent, how sure the category is; 0 for `other`
    kind: np.ndarray  # uint8 (n,)
    reach: np.ndarray  # int64 (n,)
    feature_ends: np.ndarray  # int64 (n,): features of row i are [ends[i-1], ends[i])
    features: np.ndarray  # uint32 (m,): hashes, distinct within a post
    feature_counts: np.ndarray  # uint8 (m,): occurrences in the post, at most 255
    dense: np.ndarray  # float32 (n, d): unit rows; d = 0 without a dense encoder

    def __len__(self) -> int:
        return len(self.id)


class WrongEncoder(Exception):
    """A frame, change or checkpoint was made with another encoder than the fold's."""

    exit_code = 1


class EntryKind(IntEnum):
    """What a source offset became in its frame."""

    POST = 0
    DEAD = 1
    TICK = 2


class DeadEntry(msgspec.Struct, frozen=True):
    """The trace of a dead record in a frame, so that the fold can count it."""

    source: str
    id: str | None
    reason: str


class Frame(msgspec.Struct, kw_only=True, tag="frame"):
    """Many embedded posts in one message. Every source offset is in exactly one entry, offsets ascending."""

    encoder: str  # Encoder.identity, or "none"
    origin: str  # UUID of the source topic (the log's name in the embedded road)
    partition: int  # source partition
    offsets: np.ndarray  # int64 (e,), ascending
    kinds: np.ndarray  # uint8 (e,), EntryKind
    posts: PostColumns  # a row for each POST entry, in order
    dead: list[DeadEntry]  # one for each DEAD entry, in order
    ticks: list[int]  # ms, one for each TICK entry, in order


class MicroDelta(msgspec.Struct, kw_only=True):
    """What a change adds to micro-clusters. k micro-clusters, m feature sums in all.

    Raw sums, never weighted ones: whoever reads them weighs them by its own document frequencies, so
    that changes of several cluster partitions can be compared.
    """

    id: list[str]
    dense: np.ndarray  # int32 (k, d): sum over the new posts of rint(unit vector * 512)
    feature_ends: np.ndarray  # int64 (k,)
    features: np.ndarray  # uint32 (m,): hashes, ascending within a micro-cluster
    feature_sums: np.ndarray  # int32 (m,): sum over the new posts of rint((1 + ln count) * 64)
    feature_posts: np.ndarray  # int32 (m,): new posts that hold the feature
    vectors: np.ndarray  # int32 (k,): new posts that entered the sums (exact copies do not)


class ChangeRows(msgspec.Struct, kw_only=True):
    """The posts that a change covers, in folded order: folded, duplicate, late; the dead are counted."""

    source: list[str]
    id: list[str]
    duplicate_of: list[str | None]
    text: list[str]  # masked; "" unless folded
    lang: list[str]
    platform: list[str | None]
    community: list[str | None]
    url: list[str | None]
    reply_to: list[str | None]
    repost_of: list[str | None]
    category: list[str]
    outcome: np.ndarray  # uint8 (n,), Outcome
    micro: np.ndarray  # int32 (n,): index into Change.micros.id; -1 unless folded
    created_at: np.ndarray  # int64 (n,)
    voice: np.ndarray  # uint64 (n,)
    wording: np.ndarray  # uint64 (n,)
    flags: np.ndarray  # uint32 (n,)
    sure: np.ndarray  # uint8 (n,)
    kind: np.ndarray  # uint8 (n,)
    reach: np.ndarray  # int64 (n,)

    def __len__(self) -> int:
        return len(self.id)


class Change(msgspec.Struct, kw_only=True, tag="change"):
    """What a cluster fold tells the alert fold at a change number or a tick."""

    partition: int  # of `posts.embedded`
    sequence: int  # 1, 2, 3, ... within the partition
    watermark: int  # ms
    encoder: str
    dead: int  # dead records counted since the last change
    micros: MicroDelta
    rows: ChangeRows
    aged: list[str]  # micro-clusters that left the window since the last change
