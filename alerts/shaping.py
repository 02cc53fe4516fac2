"""Documents out of a rumor's state."""

from __future__ import annotations

from functools import cache

from alerts.exemplars import Shown
from alerts.parameters import BUCKETS_KEPT, DAY
from alerts.rumor import AlertState, Kept, Rumor
from streams.documents import AlertDocument, PostDocument, RumorDocument, Signal
from streams.records import KINDS, Flag

_FLAG_NAMES = tuple((int(flag), str(flag.name).lower()) for flag in Flag)


def rumor_document(
    rumor: Rumor,
    shown: Shown,
    *,
    event_id: str,
    version: int,
    watermark: int,
    micro_clusters: int,
    vector: bytes,
    score: float,
    signals: list[Signal],
    open: bool = True,
    merged_into: str | None = None,
    covered_by: str | None = None,
    waiting_since: int | None = None,
) -> RumorDocument:
    timeline = rumor.timeline
    category, confidence = rumor.category
    newest = [(start, timeline[start]) for start in sorted(timeline)[-BUCKETS_KEPT:]]
    return RumorDocument(
        rumor_id=rumor.id,
        version=version,
        event_id=event_id,
        born_at=rumor.born_at,
        headline=shown.headline,
        posts=rumor.posts.count,
        voices=rumor.voices.since(watermark - DAY),
        reach=rumor.reach,
        first_post_at=rumor.first_at,
        last_post_at=rumor.last_at,
        updated_at=watermark,
        languages=_ordered(rumor.languages),
        platforms=_ordered(rumor.platforms),
        communities=_ordered(rumor.communities),
        micro_clusters=micro_clusters,
        score=round(score, 4),
        signals=signals,
        exemplars=shown.exemplars,
        timeline=newest,
        joins=rumor.joins[-50:],
        splits=rumor.splits[-50:],
        level=rumor.alert.level if rumor.alert else None,
        alert_id=rumor.alert.alert_id if rumor.alert else None,
        category=category,
        category_confidence=confidence,
        merged_into=merged_into,
        covered_by=covered_by,
        waiting_since=waiting_since,
        open=open,
        vector=vector,
    )


def alert_document(
    alert: AlertState,
    rumor: RumorDocument,
    *,
    settings_version: str,
    encoder: str,
    merged_into: str | None = None,
    covers: list[str],
) -> AlertDocument:
    return AlertDocument(
        alert_id=alert.alert_id,
        version=rumor.version,
        rumor_id=rumor.rumor_id,
        event_id=rumor.event_id,
        level=alert.level,
        status=alert.status,
        raised_at=alert.raised_at,
        confirmed_at=alert.confirmed_at,
        raised_by=alert.raised_by,
        updated_at=rumor.updated_at,
        headline=rumor.headline,
        score=rumor.score,
        signals=rumor.signals,
        posts=rumor.posts,
        voices=rumor.voices,
        reach=rumor.reach,
        first_post_at=rumor.first_post_at,
        last_post_at=rumor.last_post_at,
        languages=sorted(rumor.languages),
        platforms=rumor.platforms,
        communities=rumor.communities,
        exemplars=rumor.exemplars,
        settings_version=settings_version,
        encoder=encoder,
        category=rumor.category,
        category_confidence=rumor.category_confidence,
        merged_into=merged_into,
        covers=covers,
        waited_ms=alert.waited_ms,
        triage=alert.triage,
    )


def post_document(post: Kept, rumor_id: str, version: int) -> PostDocument:
    return PostDocument(
        source=post.source,
        post_id=post.id,
        version=version,
        rumor_id=rumor_id,
        micro_cluster_id=post.micro,
        created_at=post.created_at,
        text=post.text,
        lang=post.lang,
        platform=post.platform,
        community=post.community,
        url=post.url,
        reply_to=post.reply_to,
        repost_of=post.repost_of,
        kind=KINDS[post.kind],
        flags=list(_flag_names(post.flags)),
        reach=post.reach,
    )


@cache
def _flag_names(flags: int) -> tuple[str, ...]:
    return tuple(name for flag, name in _FLAG_NAMES if flags & flag)


def _ordered(counts: dict[str, int]) -> dict[str, int]:
    """Most frequent first, ties by name."""
    if len(counts) < 2:
        return dict(counts)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def last_of_each(posts: list[PostDocument]) -> list[PostDocument]:
    """A post that was counted and moved in one step is one document: a version has one content."""
    return list({(p.source, p.post_id): p for p in posts}.values())
