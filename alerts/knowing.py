"""What is known already: decisions become claims, and a rumor that tells a known claim is met."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from alerts.claims import Claims
from alerts.lifecycle import note
from alerts.micros import Micros
from alerts.parameters import AlertParameters
from alerts.rumor import Rumor
from streams.documents import AuditDocument, ClaimDocument, ClaimMatch, ClaimText
from streams.ids import claim_id
from streams.inputs import Action, ClaimRecord


def claim_of(action: Action, rumor: Rumor, headline: str, encoder: str) -> ClaimDocument:
    """The claim that an own verdict, or a mute without one, makes of a rumor."""
    assert rumor.alert is not None
    triage = rumor.alert.triage
    return ClaimDocument(
        claim_id=claim_id("desk", rumor.alert.alert_id),
        version=0,
        since=action.at,
        texts=[ClaimText(text=headline, lang=rumor.main_language)],
        verdict=triage.verdict,
        rating="",
        source=triage.decided_by or action.who,
        published_at=triage.decided_at,
        correction=triage.correction,
        link=triage.correction_link or next(iter(triage.links), ""),
        origin="verdict" if triage.verdict else "mute",
        alert_id=rumor.alert.alert_id,
        encoder=encoder,
        muted=triage.muted,
        returned=0,
    )


def silenced(rumor: Rumor, claims: Claims, standing: Callable[[str], bool]) -> bool:
    """Whether a rumor raises nothing for the sake of the claim that it was found to be.

    A muted claim raises nothing; one that came back has one alert, as long as that is open.
    `standing`: whether a claim has an open alert.
    """
    if not rumor.answered_by:
        return False
    claim = claims.get(rumor.answered_by)
    if claim is not None and (claim.muted or standing(claim.claim_id)):
        return True
    rumor.answered_by = ""
    return False


def meet(rumor: Rumor, match: ClaimMatch | None, at: int) -> None:
    """Put what was found on a rumor's alert, unless something nearer stands there."""
    alert = rumor.alert
    assert alert is not None
    stands = alert.triage.match
    if match is None or (stands is not None and stands.similarity >= match.similarity):
        return
    alert.triage = replace(
        alert.triage, match=match, returned=alert.triage.returned or match.certain
    )
    found = "returned" if match.certain else "offered"
    verdict = f", {match.verdict}" if match.verdict else ""
    why = f"claim {match.claim_id}{verdict}: likeness {match.similarity:.2f}"
    note(alert, found, at, why=why)


def again(
    record: ClaimRecord, rumors: list[Rumor], claims: Claims, micros: Micros,
    parameters: AlertParameters, at: int,
) -> list[Rumor]:  # fmt: skip
    """Hold a claim that came later against the alerts that stand; those on which it was found."""
    found = []
    for rumor in rumors:
        if rumor.alert is None:
            continue
        before = rumor.alert.triage
        meet(rumor, claims.match(rumor, micros, parameters, only=record.claim), at)
        if rumor.alert.triage is not before:
            found.append(rumor)
    return found


def audit_of(record: ClaimRecord, reason: str, version: int) -> AuditDocument:
    """The audit's entry of a claim that was brought."""
    given = {"source": record.source, "verdict": record.verdict, "link": record.link}
    return AuditDocument(
        action_id=record.id,
        version=version,
        at=record.at,
        who=record.who,
        deed="claim",
        subject=record.claim,
        why="",
        given={name: value for name, value in given.items() if value},
        taken=not reason,
        reason=reason,
        alert_id=None,
        rumor_id=None,
        status=None,
    )
