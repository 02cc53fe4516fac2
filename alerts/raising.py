"""Alerts that reach a level, and what is said of them."""

from __future__ import annotations

from alerts.levels import Verdict
from alerts.rumor import Rumor
from alerts.standing import Standing
from alerts.writing import Writing
from streams.documents import RumorDocument
from streams.effects import Raised


def raise_alerts(standing: Standing, writing: Writing, touched: set[int]) -> list[Raised]:
    """Alerts of touched rumors that reach a level for the first time, oldest rumor first."""
    raised = []
    levels, desk, trends = standing.levels, standing.desk, standing.trends
    view = standing.view()
    for number in sorted(touched):
        rumor = standing.tree.rumors[number]
        if desk.stirs(rumor, view):
            writing.changed({number}, news=True)
        verdict = levels.judge(rumor, standing.watermark, trends.stream)
        if verdict is None or not desk.lets(rumor, view):
            continue
        levels.raise_alert(rumor, verdict.level, standing.watermark, standing.newest)
        desk.meets(rumor, view)
        writing.changed({number}, news=True)
        document = writing.document(rumor)
        raised.append(raised_of(rumor, verdict, document, standing.watermark, standing.newest))
        language, platform = main_place(rumor)
        topic, _ = rumor.category
        trends.alert(standing.watermark, language, platform, topic, verdict.level)
    return raised


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
