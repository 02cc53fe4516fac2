"""The overview: what the desk sees first. Documents in, rows for the page out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from console.buckets import BUCKET, HOUR, floor_to, recent
from console.charts import Chart, Sparkline, sparkline, trend_chart
from console.counters import Figure, counters
from console.language import Language
from console.query import Filter
from console.signals import SignalRow, reasons
from console.status import PipelineStatus
from stores.base import AlertDocument, Level, RumorDocument, Store, TrendDocument

ALERTS_A_PAGE = 20
SCANNED_ALERTS = 2_000  # looked through for a language or a category, newest first
SCANNED_RUMORS = 200  # open rumors by score: the pool for sparklines and for what rises
RISING = 10
OTHER = "other"  # the category that says nothing


@dataclass(frozen=True)
class Entry:
    """An alert or a rumor as one row of a list."""

    href: str
    key: str
    headline: str
    level: str
    status: str
    score: str
    score_part: float  # %
    posts: int
    voices: int
    languages: list[str]
    first_at: int
    raised_at: int | None
    last_hour: int
    spark: Sparkline
    reasons: list[SignalRow]
    category: str = ""  # its name; "" for `other`
    topic: str = ""  # its id
    waits: bool = False  # for a place among the hour's alerts


@dataclass(frozen=True)
class Overview:
    now: int | None
    counters: list[Figure]
    alerts: list[Entry]
    more: bool
    rising: list[Entry]
    chart: Chart | None
    languages: list[tuple[str, str]]  # (code, name) of the filter
    categories: list[tuple[str, str]]  # (id, name) of the filter
    alert_keys: list[str]


def overview(
    store: Store, status: PipelineStatus | None, asked: Filter, words: Language
) -> Overview:
    """Reads the store a few times, however much it holds."""
    pool = {rumor.rumor_id: rumor for rumor in store.rumors(open_only=True, limit=SCANNED_RUMORS)}
    alerts, more = _alerts(store, asked)
    now = stream_time(status, [*pool.values(), *alerts])
    stop = floor_to(now, BUCKET) + BUCKET if now is not None else 0
    span = asked.hours * HOUR
    trends = store.trends(max(0, stop - span), stop) if now is not None else []
    moment = now if now is not None else 0
    highest = max([1.0, *(alert.score for alert in alerts)])
    rows = [
        _alert_entry(alert, _rumor_of(store, alert, pool), moment, highest, words)
        for alert in alerts
    ]
    return Overview(
        now=now,
        counters=counters(store, status, now, words),
        alerts=rows,
        more=more,
        rising=_rising(pool.values(), asked, moment, words),
        chart=trend_chart(trends, moment, span, words),
        languages=_languages(trends, asked.language, words),
        categories=_categories(trends, asked.category, words),
        alert_keys=[row.key for row in rows],
    )


def stream_time(
    status: PipelineStatus | None, documents: Iterable[RumorDocument | AlertDocument]
) -> int | None:
    """The watermark (ms): the pipeline's, else the newest that a document carries."""
    if status is not None and status.watermark is not None:
        return status.watermark
    return max((document.updated_at for document in documents), default=None)


def _alerts(store: Store, asked: Filter) -> tuple[list[AlertDocument], bool]:
    """The page of alerts asked for, and whether older ones follow."""
    level: Level | None = (
        "suggest" if asked.level == "suggest" else "confirm" if asked.level else None
    )
    start = (asked.page - 1) * ALERTS_A_PAGE
    if asked.language is None and asked.category is None:
        found = store.alerts(level=level, limit=ALERTS_A_PAGE + 1, offset=start)
    else:
        newest = store.alerts(level=level, limit=SCANNED_ALERTS)
        found = [
            alert
            for alert in newest
            if asked.language in (None, *alert.languages)
            and asked.category in (None, alert.category)
        ]
        found = found[start : start + ALERTS_A_PAGE + 1]
    return found[:ALERTS_A_PAGE], len(found) > ALERTS_A_PAGE


def _rumor_of(
    store: Store, alert: AlertDocument, pool: dict[str, RumorDocument]
) -> RumorDocument | None:
    return pool.get(alert.rumor_id) or store.rumor(alert.rumor_id)


def _rising(
    rumors: Iterable[RumorDocument], asked: Filter, now: int, words: Language
) -> list[Entry]:
    """Rumors without an alert that gained posts in the last hour: those that wait for a
    place as alerts, then most gained first."""
    found = []
    for rumor in rumors:
        if (
            rumor.alert_id is not None
            or rumor.covered_by is not None
            or asked.language not in (None, *rumor.languages)
            or asked.category not in (None, rumor.category)
        ):
            continue
        gained = recent(rumor.timeline, now, HOUR)
        if gained > 0 and rumor.posts > 1:
            found.append((gained, rumor))
    found.sort(
        key=lambda pair: (
            pair[1].waiting_since is None, -pair[0], -pair[1].score, pair[1].rumor_id
        )
    )  # fmt: skip
    chosen = [rumor for _, rumor in found[:RISING]]
    highest = max([1.0, *(rumor.score for rumor in chosen)])
    return [_rumor_entry(rumor, now, highest, words) for rumor in chosen]


def _alert_entry(
    alert: AlertDocument, rumor: RumorDocument | None, now: int, highest: float, words: Language
) -> Entry:
    timeline = rumor.timeline if rumor else []
    return Entry(
        href=f"/alerts/{alert.alert_id}",
        key=alert.alert_id,
        headline=alert.headline,
        level=alert.level,
        status=alert.status,
        category=_category(alert.category, words),
        topic=alert.category or "",
        score=words.number(alert.score),
        score_part=_part(alert.score, highest),
        posts=alert.posts,
        voices=alert.voices,
        languages=_by_posts(rumor.languages if rumor else dict.fromkeys(alert.languages, 0), words),
        first_at=alert.first_post_at,
        raised_at=alert.raised_at,
        last_hour=recent(timeline, now, HOUR),
        spark=sparkline(timeline, now, words),
        reasons=reasons(alert.signals, words),
    )


def _rumor_entry(rumor: RumorDocument, now: int, highest: float, words: Language) -> Entry:
    return Entry(
        href=f"/rumors/{rumor.rumor_id}",
        key=rumor.rumor_id,
        headline=rumor.headline,
        level="",
        status="",
        category=_category(rumor.category, words),
        waits=rumor.waiting_since is not None,
        score=words.number(rumor.score),
        score_part=_part(rumor.score, highest),
        posts=rumor.posts,
        voices=rumor.voices,
        languages=_by_posts(rumor.languages, words),
        first_at=rumor.first_post_at,
        raised_at=None,
        last_hour=recent(rumor.timeline, now, HOUR),
        spark=sparkline(rumor.timeline, now, words),
        reasons=reasons(rumor.signals, words),
    )


def _category(name: str | None, words: Language) -> str:
    return words.name("category", name) if name and name != OTHER else ""


def _by_posts(languages: Mapping[str, int], words: Language) -> list[str]:
    """The languages' names, the most written first."""
    return [
        words.name("lang", code) for code in sorted(languages, key=lambda c: (-languages[c], c))
    ]


def _part(score: float, highest: float) -> float:
    return round(100 * min(max(score / highest, 0.0), 1.0), 2)


def _languages(
    trends: Sequence[TrendDocument], chosen: str | None, words: Language
) -> list[tuple[str, str]]:
    """The languages to filter by: the six most written, and the chosen one."""
    totals: Counter[str] = Counter()
    for trend in trends:
        totals[trend.language] += trend.posts
    codes = [code for code, _ in totals.most_common(6) if code]
    if chosen is not None and chosen not in codes:
        codes.append(chosen)
    return [(code, words.name("lang", code)) for code in codes]


def _categories(
    trends: Sequence[TrendDocument], chosen: str | None, words: Language
) -> list[tuple[str, str]]:
    """The categories to filter by: the six with most alerts in the span, and the chosen one."""
    totals: Counter[str] = Counter()
    for trend in trends:
        if alerts := trend.alerts_suggest + trend.alerts_confirm:
            totals[trend.category] += alerts
    names = [name for name, _ in totals.most_common(6)]
    if chosen is not None and chosen not in names:
        names.append(chosen)
    return [(name, words.name("category", name)) for name in names]
