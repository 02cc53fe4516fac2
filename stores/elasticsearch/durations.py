"""How long an alert took to be raised, taken, judged and answered: fields for the lead's panels."""

from __future__ import annotations

from streams.documents import AlertDocument


def durations(alert: AlertDocument) -> dict[str, int | None]:
    """Seconds, never below 0; None for what has not happened.

    `seconds_to_raise` counts from the rumor's first post, the others from the raising of the alert:
    to the first step that a person took, to the verdict, to the verdict that came with an answer to
    share. The history holds the newest 50 steps; an alert with more has lost its first ones.
    """
    triage = alert.triage
    first = next((step.at for step in triage.history if step.who), None)
    answered = bool(triage.correction or triage.correction_link)
    return {
        "seconds_to_raise": _between(alert.first_post_at, alert.raised_at),
        "seconds_to_acknowledge": _between(alert.raised_at, first),
        "seconds_to_verdict": _between(alert.raised_at, triage.decided_at),
        "seconds_to_correction": _between(alert.raised_at, triage.decided_at if answered else None),
    }


def _between(start: int, end: int | None) -> int | None:
    return None if end is None else max(end - start, 0) // 1000
