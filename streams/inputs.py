"""What `rumors.input` carries: changes of the cluster folds, and what people decide.

One log, one order: the alert fold takes each record at its place. Every kind is a tagged struct, so
that a message says of itself what it is; a new kind is a struct with a tag and a place in
`RumorInput`.
"""

from __future__ import annotations

from typing import Any, Literal, cast

import msgspec
import numpy as np

from streams.codec import decode
from streams.documents import Verdict
from streams.records import Change, Frame, PostColumns

Deed = Literal[
    "acknowledge", "assign", "verify", "note", "verdict", "dismiss", "close", "reopen",
    "mute", "unmute", "merge", "split", "raise",
]  # fmt: skip


class Action(msgspec.Struct, frozen=True, kw_only=True, tag="action"):
    """What an analyst did. The same id again changes nothing."""

    id: str
    deed: Deed
    alert: str  # id of an alert or of a rumor (a merged one answers with its heir), or of a claim
    who: str  # the analyst's name on the desk
    at: int  # ms, when it was done: the fold has no clock
    why: str = ""
    assignee: str | None = None  # assign: a name on the desk
    verdict: Verdict | None = None
    links: list[str] = []  # verdict: where it can be checked
    correction: str = ""  # verdict: the answer to share
    correction_link: str = ""  # verdict: where the answer stands
    other: str = ""  # merge: id of the other alert or rumor
    posts: list[str] = []  # split: ids of the posts that make another claim


class ClaimRecord(msgspec.Struct, frozen=True, kw_only=True, tag="claim"):
    """A claim that somebody verified, embedded where it was read: the fold needs no encoder.

    t texts of one claim, m features in all.
    """

    id: str  # of the record: the same claim with other content has another
    claim: str  # id of the claim
    who: str  # who brought it
    at: int  # ms
    texts: list[str]
    lang: list[str]  # of each text, ISO 639-1 or "und"
    encoder: str  # Encoder.identity, or "none"
    feature_ends: np.ndarray  # int64 (t,)
    features: np.ndarray  # uint32 (m,): hashes, distinct within a text
    feature_counts: np.ndarray  # uint8 (m,)
    dense: np.ndarray  # float32 (t, d): raw unit rows
    verdict: Verdict
    rating: str = ""  # as its source words it
    source: str = ""  # who verified it
    published_at: int | None = None  # ms
    correction: str = ""
    link: str = ""


class SettingsChange(msgspec.Struct, frozen=True, kw_only=True, tag="settings"):
    """Other settings of the folds, in force from the record's place in each log on.

    It goes into `rumors.input` and into every partition of `posts.embedded`. Each fold takes up what it
    can in the middle of its log, and keeps the rest.
    """

    id: str
    version: str  # first 12 hex digits of the settings' SHA-256
    who: str
    at: int  # ms
    why: str = ""
    cluster: dict[str, Any]  # the fold's parameters by name, as `ClusterParameters` takes them
    alert: dict[str, Any]  # as `AlertParameters` takes them
    values: dict[str, Any]  # the settings of both folds by dotted name, for people


Decision = Action | ClaimRecord | SettingsChange
"""What people decide: every record that is no change."""

RumorInput = Change | Decision


class Parting(msgspec.Struct, frozen=True, kw_only=True, tag="parting"):
    """An order to the cluster folds: posts leave their micro-clusters for new ones.

    The alert fold gives it for a split that crosses micro-clusters; it goes to every partition of
    `posts.embedded`. n posts, embedded as in a frame. A post that does not lie where the order says is
    left where it is, so that the same order again changes nothing.
    """

    id: str  # of the analyst's action
    encoder: str  # Encoder.identity, or "none"
    posts: PostColumns
    leaves: list[str]  # of each post, the micro-cluster that it leaves
    enters: list[str]  # ... and the one that it goes into


EmbeddedInput = Frame | SettingsChange | Parting
"""What a cluster fold takes."""


class Inherit(msgspec.Struct, frozen=True, kw_only=True, tag="inherit"):
    """First record of a partition of `posts.embedded` that was added: it goes on from another's state."""

    parent: int  # partition
    end: int  # offset in the parent's log; records before it are known to the heir


EmbeddedRecord = EmbeddedInput | Inherit
"""What `posts.embedded` carries."""


def read_embedded(message: bytes) -> EmbeddedRecord:
    """A message of `posts.embedded`. Raises CodecError."""
    return cast(EmbeddedRecord, decode(message, cast(Any, EmbeddedRecord)))


def read_input(message: bytes) -> RumorInput:
    """A message of `rumors.input`. Raises CodecError."""
    return cast(RumorInput, decode(message, cast(Any, RumorInput)))
