"""The desk: analysts' actions, each taken once, in the order of the log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from alerts.lifecycle import advance, refusal
from alerts.rumor import Rumor
from streams.documents import AuditDocument
from streams.inputs import Action

IDS_KEPT = 1 << 16
"""Ids of actions that are remembered, the newest; a desk of five needs weeks for as many."""

HEIRS_KEPT = 1 << 13
"""Rumors and alerts that are no more and still answer with their heir, the newest."""


class Decided(NamedTuple):
    """What became of an action."""

    rumor: Rumor | None  # that it is about, when there is one
    reason: str  # why it was refused; empty when it was taken


class Desk:
    """What was done already, and who answers for what is no more."""

    def __init__(self) -> None:
        self._done: dict[str, None] = {}  # ids of actions, oldest first
        self._heirs: dict[str, str] = {}  # id of a rumor or alert -> its heir's; "": closed

    def seen(self, action_id: str) -> bool:
        """Whether an action was taken or refused before; from here on it was."""
        if action_id in self._done:
            return True
        self._done[action_id] = None
        _bound(self._done, IDS_KEPT)
        return False

    def gone(self, name: str, heir: str = "") -> None:
        """A rumor or alert is no more: its id answers with its heir, or as closed."""
        self._heirs.pop(name, None)
        self._heirs[name] = heir
        _bound(self._heirs, HEIRS_KEPT)

    def standing(self, name: str) -> str:
        """The id that answers for an id of a rumor or alert, through any number of merges."""
        while heir := self._heirs.get(name):
            name = heir
        return name

    def closed(self, name: str) -> bool:
        return name in self._heirs

    def find(self, name: str, rumors: Iterable[Rumor]) -> Rumor | str:
        """The rumor that answers for an id of a rumor or alert; else why there is none."""
        name = self.standing(name)
        rumor = next((r for r in rumors if name in (r.id, r.alert and r.alert.alert_id)), None)
        if rumor is not None:
            return rumor
        if self.closed(name):
            return f"{name} is closed: its posts have left the window"
        return f"{name} is no alert or rumor that is known here: see the list of alerts"

    def take(self, action: Action, rumors: Iterable[Rumor]) -> Decided:
        """Do an action, or refuse it."""
        rumor = self.find(action.alert, rumors)
        if isinstance(rumor, str):
            return Decided(None, rumor)
        if rumor.alert is None:
            return Decided(rumor, f"the rumor {rumor.id} has no alert yet")
        reason = refusal(rumor.alert, action)
        if reason is None:
            advance(rumor.alert, action)
        return Decided(rumor, reason or "")

    def state(self) -> dict[str, Any]:
        return {"done": list(self._done), "heirs": [[n, h] for n, h in self._heirs.items()]}

    def restore(self, state: dict[str, Any]) -> None:
        self._done = dict.fromkeys(state["done"])
        self._heirs = dict(state["heirs"])


def audit(action: Action, decided: Decided, version: int) -> AuditDocument:
    """The audit's entry of an action."""
    alert = decided.rumor.alert if decided.rumor else None
    given = {
        "assignee": action.assignee or "",
        "verdict": action.verdict or "",
        "links": " ".join(action.links),
        "correction": action.correction,
        "correction_link": action.correction_link,
    }
    return AuditDocument(
        action_id=action.id,
        version=version,
        at=action.at,
        who=action.who,
        deed=action.deed,
        subject=action.alert,
        why=action.why,
        given={name: value for name, value in given.items() if value},
        taken=not decided.reason,
        reason=decided.reason,
        alert_id=alert.alert_id if alert else None,
        rumor_id=decided.rumor.id if decided.rumor else None,
        status=alert.status if alert else None,
    )


def _bound(kept: dict[str, Any], most: int) -> None:
    if len(kept) > most:
        del kept[next(iter(kept))]
