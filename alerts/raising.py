"""What is said when an alert reaches a level."""

from __future__ import annotations

from alerts.levels import Verdict
from alerts.rumor import Rumor
from streams.documents import RumorDocument
from streams.effects import Raised


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
