"""Raise: an analyst makes an alert of a rumor that has none."""

from __future__ import annotations

from alerts.desk import audit
from alerts.levels import Verdict
from alerts.lifecycle import note
from alerts.raising import give_alert
from alerts.rumor import Rumor
from alerts.standing import Standing
from alerts.writing import Writing
from streams.effects import Effects, Raised
from streams.inputs import Action


def raise_by_hand(standing: Standing, writing: Writing, action: Action, effects: Effects) -> None:
    """Do it, or refuse it; documents are written at once.

    It needs no evidence and no place in the hour, and whatever kept the rumor back (another's alert
    that covers it, a full hour, a known claim) keeps it back no more.
    """
    rumors = standing.tree.rumors
    decided = standing.desk.refer(action, rumors.values())
    changed: list[Rumor] = []
    if not decided.reason and decided.rumor is not None:
        rumor = decided.rumor
        above = standing.gate.uncover(rumor.number)
        effects.raised = [_raise(standing, writing, action, rumor)]
        changed = [rumor] if above is None else [rumors[above], rumor]
        if above is not None and (alert := rumors[above].alert) is not None:
            why = f"{rumor.id} has an alert of its own now"
            note(alert, action.deed, action.at, who=action.who, why=why)
    effects.batch.audits.append(audit(action, decided, standing.version))
    for rumor in changed:
        writing.tell(rumor, effects.batch)


def _raise(standing: Standing, writing: Writing, action: Action, rumor: Rumor) -> Raised:
    """At the level that its evidence carries, else at `suggest`."""
    now, stream = standing.watermark, standing.trends.stream
    verdict = standing.levels.judge(rumor, now, stream)
    if verdict is None:
        verdict = Verdict("suggest", *standing.levels.score(rumor, now, stream))
    raised = give_alert(standing, writing, rumor, verdict, by_hand=True)
    assert rumor.alert is not None
    note(rumor.alert, action.deed, action.at, who=action.who, why=action.why)
    return raised
