"""The desk: analysts' actions, each taken once, in the order of the log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from alerts.claims import Claims
from alerts.knowing import again, audit_of, claim_of, meet, silenced
from alerts.lifecycle import advance, breaks_out, fault, refusal, reopen
from alerts.micros import Micros
from alerts.parameters import AlertParameters
from alerts.rumor import Rumor
from alerts.tree import Tree
from streams.documents import AuditDocument, Batch, ClaimDocument
from streams.inputs import Action, ClaimRecord

IDS_KEPT = 1 << 16
"""Ids of actions that are remembered, the newest; a desk of five needs weeks for as many."""

HEIRS_KEPT = 1 << 13
"""Rumors and alerts that are no more and still answer with their heir, the newest."""


class Decided(NamedTuple):
    """What became of an action."""

    rumor: Rumor | None  # that it is about, when there is one
    reason: str  # why it was refused; empty when it was taken
    more: Mapping[str, str] = MappingProxyType({})  # what the audit tells besides what was given


class View(NamedTuple):
    """What the desk sees of the fold."""

    tree: Tree
    micros: Micros
    parameters: AlertParameters
    watermark: int
    version: int


class Desk:
    """What was done already, who answers for what is no more, and which claims are known."""

    def __init__(self, encoder: str) -> None:
        self._encoder = encoder
        self._claims = Claims(encoder)
        self._done: dict[str, None] = {}  # ids of actions, oldest first
        self._counted: dict[str, int] = {}  # claims told again that were not written yet
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
        return (
            f"{name} is no alert or rumor that is known here, or its posts have left the window: "
            "see the list of alerts"
        )

    def decide(
        self,
        record: Action | ClaimRecord,
        view: View,
        headline: Callable[[Rumor], str],
        batch: Batch,
    ) -> list[Rumor]:
        """Take up what people decided; puts claims and audit into the batch.

        Returns the rumors whose documents changed.
        """
        if isinstance(record, ClaimRecord):
            return self._bring(record, view, batch)
        if (claim := self._claims.get(record.alert)) is not None:
            batch.audits.append(
                audit(record, self._on_claim(record, claim, view, batch), view.version)
            )
            return []
        decided = self.take(record, view.tree.rumors.values(), view.watermark)
        batch.audits.append(audit(record, decided, view.version))
        rumor = decided.rumor
        if rumor is None or decided.reason:
            return []
        if record.deed in ("verdict", "mute", "unmute"):
            own = claim_of(record, rumor, headline(rumor), self._encoder)
            own.version = view.version
            batch.claims.append(self._claims.own(own, rumor, view.micros))
        return [rumor]

    def _bring(self, record: ClaimRecord, view: View, batch: Batch) -> list[Rumor]:
        claim = self._claims.bring(record, view.version)
        reason = claim if isinstance(claim, str) else ""
        batch.audits.append(audit_of(record, reason, view.version))
        if isinstance(claim, str):
            return []
        rumors = list(view.tree.rumors.values())
        found = again(record, rumors, self._claims, view.micros, view.parameters, view.watermark)
        certain = sum(r.alert is not None and r.alert.triage.returned for r in found)
        if certain:
            claim = self._claims.change(
                claim.claim_id, view.version, returned=claim.returned + certain
            )
        batch.claims.append(claim)
        return found

    def _on_claim(self, action: Action, claim: ClaimDocument, view: View, batch: Batch) -> Decided:
        """Claims know two deeds: mute and unmute."""
        if action.deed not in ("mute", "unmute"):
            return Decided(None, f"{claim.claim_id} is a claim: it can be muted and unmuted")
        muted = action.deed == "mute"
        if claim.muted == muted:
            return Decided(None, f"the claim is {'muted' if muted else 'not muted'} already")
        batch.claims.append(self._claims.change(claim.claim_id, view.version, muted=muted))
        return Decided(None, "")

    def lets(self, rumor: Rumor, view: View) -> bool:
        """Whether a rumor that reached a level may be raised, or lifted, as an alert."""
        if rumor.alert is not None:
            return not rumor.alert.triage.muted

        def standing(claim_id: str) -> bool:
            return any(
                other.alert is not None
                and other.alert.status != "closed"
                and other.alert.triage.returned
                and other.alert.triage.match is not None
                and other.alert.triage.match.claim_id == claim_id
                for other in view.tree.rumors.values()
            )

        if rumor.answered_by:
            return not silenced(rumor, self._claims, standing)
        match = self._claims.match(rumor, view.micros, view.parameters)
        if match is not None and match.certain:
            rumor.answered_by = match.claim_id
            self._counted[match.claim_id] = self._counted.get(match.claim_id, 0) + 1
            return not silenced(rumor, self._claims, standing)
        return True

    def meets(self, rumor: Rumor, view: View) -> None:
        """An alert was raised or lifted: show the known claim that it tells, if there is one."""
        meet(rumor, self._claims.match(rumor, view.micros, view.parameters), view.watermark)

    def stirs(self, rumor: Rumor, view: View) -> bool:
        """Open a settled alert again when a new burst tells its claim; whether it did."""
        alert = rumor.alert
        if alert is None or alert.settled_at is None or alert.triage.muted or not alert.burst:
            return False
        rules = view.parameters.categories.get(rumor.category[0], view.parameters)
        rule = rules.confirm if alert.level == "confirm" else rules.suggest
        if not breaks_out(alert, rule, view.watermark):
            return False
        reopen(alert, view.watermark)
        return True

    def counted(self, version: int) -> list[ClaimDocument]:
        """Claims that rumors told again since this was last asked."""
        told = [
            self._claims.change(name, version, returned=claim.returned + more)
            for name, more in self._counted.items()
            if (claim := self._claims.get(name)) is not None
        ]
        self._counted = {}
        return told

    def refer(self, action: Action, rumors: Iterable[Rumor]) -> Decided:
        """The rumor that an action is about, and why it cannot be done as things stand, if so."""
        rumor = self.find(action.alert, rumors)
        if isinstance(rumor, str):
            return Decided(None, rumor)
        if rumor.alert is None and action.deed == "raise":
            return Decided(rumor, fault(action) or "")
        if rumor.alert is None:
            return Decided(rumor, f"the rumor {rumor.id} has no alert yet: raise one first")
        return Decided(rumor, refusal(rumor.alert, action) or "")

    def take(self, action: Action, rumors: Iterable[Rumor], watermark: int) -> Decided:
        """Do an action, or refuse it. `alerts.binding` merges and splits, `alerts.by_hand` raises."""
        decided = self.refer(action, rumors)
        if not decided.reason and decided.rumor is not None and decided.rumor.alert is not None:
            advance(decided.rumor.alert, action, watermark)
        return decided

    def about_a_claim(self, action: Action) -> bool:
        return self._claims.get(action.alert) is not None

    def state(self) -> dict[str, Any]:
        return {
            "done": list(self._done),
            "heirs": [[n, h] for n, h in self._heirs.items()],
            "claims": self._claims.state(),
            "counted": [[n, c] for n, c in self._counted.items()],
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._done = dict.fromkeys(state["done"])
        self._heirs = dict(state["heirs"])
        self._claims.restore(state["claims"])
        self._counted = dict(state["counted"])


def audit(action: Action, decided: Decided, version: int) -> AuditDocument:
    """The audit's entry of an action."""
    alert = decided.rumor.alert if decided.rumor else None
    given = {
        "assignee": action.assignee or "",
        "verdict": action.verdict or "",
        "links": " ".join(action.links),
        "correction": action.correction,
        "correction_link": action.correction_link,
        "other": action.other,
        "posts": " ".join(action.posts),
        **decided.more,
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
