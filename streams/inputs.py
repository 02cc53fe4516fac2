"""What `rumors.input` carries: changes of the cluster folds, and what people decide.

One log, one order: the alert fold takes each record at its place. Every kind is a tagged struct, so
that a message says of itself what it is; a new kind is a struct with a tag and a place in
`RumorInput`.
"""

from __future__ import annotations

from typing import Any, Literal, cast

import msgspec

from streams.codec import decode
from streams.documents import Verdict
from streams.records import Change

Deed = Literal[
    "acknowledge", "assign", "verify", "note", "verdict", "dismiss", "close", "reopen"
]  # fmt: skip


class Action(msgspec.Struct, frozen=True, kw_only=True, tag="action"):
    """What an analyst did. The same id again changes nothing."""

    id: str
    deed: Deed
    alert: str  # id of an alert, or of its rumor; a merged one answers with its heir
    who: str  # the analyst's name on the desk
    at: int  # ms, when it was done: the fold has no clock
    why: str = ""
    assignee: str | None = None  # assign: a name on the desk
    verdict: Verdict | None = None
    links: list[str] = []  # verdict: where it can be checked
    correction: str = ""  # verdict: the answer to share
    correction_link: str = ""  # verdict: where the answer stands


Decision = Action
"""What people decide: every record that is no change."""

RumorInput = Change | Decision


def read_input(message: bytes) -> RumorInput:
    """A message of `rumors.input`. Raises CodecError."""
    return cast(RumorInput, decode(message, cast(Any, RumorInput)))
