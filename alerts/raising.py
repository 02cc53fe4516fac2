"""Alerts that reach a level, and what is said of them."""

from __future__ import annotations

from alerts.covering import Young, cover
from alerts.levels import Verdict
from alerts.rumor import Rumor
from alerts.standing import Standing
from alerts.writing import Writing
from streams.documents import RumorDocument
from streams.effects import Raised


def raise_alerts(standing: Standing, writing: Writing, touched: set[int]) -> list[Raised]:
    """Alerts of touched rumors that reach a level for the first time.

    A new one needs a place in the hour: the highest score takes it, ties to the oldest rumor, the others
    wait. Those that wait are judged anew when there is room. A rumor that says what a young alert says
    is covered by it.
    """
    rumors, gate = standing.tree.rumors, standing.gate
    raised = []
    reached: list[tuple[float, int, Verdict]] = []
    for number in sorted(touched):
        rumor = rumors[number]
        above = gate.root(number)
        if above is not None:  # it may open the alert again that covers it
            if standing.desk.stirs(rumors[above], standing.view()):
                writing.changed({above}, news=True)
            continue
        verdict = _judged(standing, writing, rumor)
        if verdict is None:
            gate.leave(number)
        elif rumor.alert is not None:
            raised.append(give_alert(standing, writing, rumor, verdict))
        else:
            reached.append((-verdict.score, number, verdict))
    room = gate.room(standing.watermark, standing.parameters.per_hour)
    if room:
        for number in gate.waiting:
            if number not in touched:
                verdict = _judged(standing, writing, rumors[number])
                if verdict is not None:
                    reached.append((-verdict.score, number, verdict))
                elif gate.leave(number):
                    writing.changed({number}, news=True)
    young = Young(standing)
    for _, number, verdict in sorted(reached, key=lambda one: one[:2]):
        found = young.covering(rumors[number])
        if found is not None:
            root, near = found
            cover(standing, root, rumors[number], near)
            writing.changed({number, root.number}, news=True)
        elif room:
            room -= 1
            raised.append(give_alert(standing, writing, rumors[number], verdict))
        else:
            gate.wait(number, standing.watermark)
            writing.changed({number}, news=True)
    return raised


def _judged(standing: Standing, writing: Writing, rumor: Rumor) -> Verdict | None:
    """A level that it newly reaches and that the desk lets it have."""
    view = standing.view()
    if standing.desk.stirs(rumor, view):
        writing.changed({rumor.number}, news=True)
    verdict = standing.levels.judge(rumor, standing.watermark, standing.trends.stream)
    return verdict if verdict is not None and standing.desk.lets(rumor, view) else None


def give_alert(
    standing: Standing, writing: Writing, rumor: Rumor, verdict: Verdict, *, by_hand: bool = False
) -> Raised:
    """Raise a rumor's alert, or lift the one that it has. `by_hand`: it takes no place in the hour."""
    now = standing.watermark
    new = rumor.alert is None
    standing.levels.raise_alert(rumor, verdict.level, now, standing.newest)
    assert rumor.alert is not None
    if new:
        rumor.alert.waited_ms = standing.gate.raised(rumor.number, now, placed=not by_hand)
    standing.desk.meets(rumor, standing.view())
    writing.changed({rumor.number}, news=True)
    language, platform = main_place(rumor)
    topic, _ = rumor.category
    standing.trends.alert(now, language, platform, topic, verdict.level)
    return raised_of(rumor, verdict, writing.document(rumor), now, standing.newest)


def raised_of(
    rumor: Rumor, verdict: Verdict, document: RumorDocument, watermark: int, newest: str
) -> Raised:
    """`document`: the rumor's as it stands; `newest`: id of the last folded post."""
    assert rumor.alert is not None
    return Raised(
        alert_id=rumor.alert.alert_id,
        level=verdict.level,
        raised_at=watermark,
        raised_by=newest,
        rumor_id=rumor.id,
        first_post_at=rumor.first_at,
        post_ids=[post_id for _, post_id in sorted(rumor.posts)],
        headline=document.headline,
        score=round(verdict.score, 4),
        signals=verdict.signals,
        category=document.category,
        languages=sorted(rumor.languages),
    )


def main_place(rumor: Rumor) -> tuple[str, str]:
    """The language and the platform of most of its posts; "" without a platform."""
    platforms = rumor.platforms
    platform = max(sorted(platforms), key=lambda name: platforms[name], default="")
    return rumor.main_language, platform
