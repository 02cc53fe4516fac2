"""Charts as numbers: percent across and pixels down, so that text keeps its size at any width."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from console.buckets import (
    BUCKET,
    HOUR,
    Timeline,
    floor_to,
    hour_ticks,
    per_step,
    rebucket,
    round_top,
)
from console.language import Language, local
from stores.base import TrendDocument

TOP, BOTTOM, HEIGHT = 24, 138, 158  # px: lane of marks above TOP, hours below BOTTOM
SPARK_STEP, SPARK_STEPS = 2 * BUCKET, 36  # 6 hours
SPARK_WIDTH, SPARK_HEIGHT = 132, 32  # px
SERIES = 5  # languages with a colour of their own; the rest share one
FIRST_LANGUAGES = ("vi", "en", "km", "zh")  # keep their colours whatever else comes


@dataclass(frozen=True)
class Segment:
    series: int  # colour
    y: float
    height: float


@dataclass(frozen=True)
class Bar:
    x: float  # %
    width: float  # %
    segments: list[Segment]
    tip: str
    marks: list[str]  # levels of alerts raised here
    middle: float  # %


@dataclass(frozen=True)
class Tick:
    place: float  # % across, or px down
    text: str


@dataclass(frozen=True)
class Row:
    """A line of the chart's table: an hour and its figures by series."""

    text: str
    figures: list[str]


@dataclass(frozen=True)
class Chart:
    label: str
    bars: list[Bar]
    hours: list[Tick]
    levels: list[Tick]
    legend: list[tuple[int, str]]  # (colour, name)
    rows: list[Row]
    lines: list[tuple[float, str, str]]  # (% across, level, text): moments that matter
    height: int = HEIGHT
    bottom: int = BOTTOM


@dataclass(frozen=True)
class Sparkline:
    line: str  # SVG path
    area: str
    last: int
    label: str


def trend_chart(
    trends: Sequence[TrendDocument], end: int, span: int, words: Language
) -> Chart | None:
    """Posts per 5 minutes by language up to `end` (ms), at least an hour; None without posts."""
    totals: Counter[str] = Counter()
    for trend in trends:
        totals[trend.language] += trend.posts
    if not totals:
        return None
    chosen = {code for code, _ in totals.most_common(SERIES)}
    series = sorted(chosen, key=_language_order)
    other = len(series) if len(totals) > len(series) else None
    place = {code: series.index(code) if code in chosen else len(series) for code in totals}

    stop = floor_to(end, BUCKET) + BUCKET
    first = min(trend.bucket for trend in trends)
    start = max(stop - span, min(first, stop - HOUR))
    steps = (stop - start) // BUCKET
    width = len(series) + (other is not None)
    counts = [[0] * width for _ in range(steps)]
    raised: dict[int, Counter[str]] = defaultdict(Counter)
    for trend in trends:
        step = (trend.bucket - start) // BUCKET
        if 0 <= step < steps:
            counts[step][place[trend.language]] += trend.posts
            raised[step]["suggest"] += trend.alerts_suggest
            raised[step]["confirm"] += trend.alerts_confirm

    names = [words.name("lang", code) for code in series]
    if other is not None:
        names.append(words.word("others"))
    top = round_top(sum(row) for row in counts)
    bars, rows = [], []
    for step, row in enumerate(counts):
        at = start + step * BUCKET
        marks = [level for level in ("confirm", "suggest") if raised[step][level]]
        alerts = [
            f"{words.word(level)}: {words.count('n_alerts', raised[step][level])}"
            for level in marks
        ]
        tip = _tip(at, BUCKET, row, names, words, alerts, end)
        bars.append(_bar(step, steps, row, top, tip, marks))
        if sum(row) or marks:
            figures = [words.number(n) for n in (*row, sum(row))]
            rows.append(Row(words.clock(at, end), [*figures, ", ".join(alerts)]))
    label = (
        f"{words.word('chart')}: {words.clock(start, end)}–{words.clock(stop, end)}, "
        + words.count("n_posts", sum(map(sum, counts)))
    )
    return Chart(
        label=label,
        bars=bars,
        hours=_hours(start, stop, words),
        levels=_levels(top, words),
        legend=list(enumerate(names)),
        rows=rows[::-1],
        lines=[],
    )


def timeline_chart(
    timeline: Timeline, moments: Sequence[tuple[int, str, str]], now: int, words: Language
) -> Chart | None:
    """One rumor's posts, with moments (ms, level, text) as lines; None without posts."""
    start, step, counts = rebucket(timeline, bars=84)
    if not counts:
        return None
    spare = max(0, 12 - len(counts))  # a story of one bucket is not drawn as a wall
    counts = counts + [0] * spare
    stop = start + step * len(counts)
    top = round_top(counts)
    bars, rows = [], []
    for place, posts in enumerate(counts):
        at = start + place * step
        tip = _tip(at, step, [posts], [], words, [], now)
        bars.append(_bar(place, len(counts), [posts], top, tip, []))
        if posts:
            rows.append(Row(words.clock(at, now), [words.number(posts)]))
    lines = [
        (_percent((at - start) / (stop - start)), level, text)
        for at, level, text in moments
        if start <= at <= stop
    ]
    return Chart(
        label=words.word("timeline_per", words.duration(step)),
        bars=bars,
        hours=_hours(start, stop, words),
        levels=_levels(top, words),
        legend=[],
        rows=rows[::-1],
        lines=lines,
    )


def sparkline(timeline: Timeline, now: int, words: Language) -> Sparkline:
    """The last six hours before `now` (ms) in steps of ten minutes."""
    start = floor_to(now, SPARK_STEP) - (SPARK_STEPS - 1) * SPARK_STEP
    counts = per_step(timeline, start, SPARK_STEP, SPARK_STEPS)
    top = max(max(counts), 3)  # px: three posts are not drawn as a peak
    across = (SPARK_WIDTH - 4) / (SPARK_STEPS - 1)
    points = [
        f"{2 + place * across:.1f},{SPARK_HEIGHT - 2 - posts / top * (SPARK_HEIGHT - 6):.1f}"
        for place, posts in enumerate(counts)
    ]
    line = "M" + "L".join(points)
    area = f"{line}L{SPARK_WIDTH - 2},{SPARK_HEIGHT - 2}L2,{SPARK_HEIGHT - 2}Z"
    label = f"{words.word('sparkline')}: {words.count('n_posts', sum(counts))}"
    return Sparkline(line, area, counts[-1], label)


def _language_order(code: str) -> tuple[int, str]:
    known = code in FIRST_LANGUAGES
    return (FIRST_LANGUAGES.index(code) if known else len(FIRST_LANGUAGES), code)


def _percent(part: float) -> float:
    return round(part * 100, 3)


def _bar(place: int, places: int, row: Sequence[int], top: int, tip: str, marks: list[str]) -> Bar:
    segments, y = [], float(BOTTOM)
    for series, posts in enumerate(row):
        if posts:
            height = posts / top * (BOTTOM - TOP)
            y -= height
            segments.append(Segment(series, round(y, 2), round(height, 2)))
    gap = 0.14 if places <= 150 else 0.0  # of a bar's room; thinner bars would turn pale
    room = 1 / places
    return Bar(
        x=_percent((place + gap / 2) * room),
        width=_percent((1 - gap) * room),
        segments=segments,
        tip=tip,
        marks=marks,
        middle=_percent((place + 0.5) * room),
    )


def _tip(
    at: int,
    step: int,
    row: Sequence[int],
    names: Sequence[str],
    words: Language,
    alerts: list[str],
    now: int,
) -> str:
    hours = words.clock(at, now)
    if step <= HOUR:
        hours = f"{local(at):%H:%M}–{local(at + step):%H:%M}{hours[5:]}"
    parts = [f"{hours}: {words.count('n_posts', sum(row))}"]
    if names and sum(row):
        parts.append(
            ", ".join(f"{name} {words.number(n)}" for name, n in zip(names, row, strict=True) if n)
        )
    return " · ".join(parts + alerts)


def _hours(start: int, stop: int, words: Language) -> list[Tick]:
    ticks = []
    for at in hour_ticks(start, stop, most=6):
        place = (at - start) / (stop - start)
        if 0.04 <= place <= 0.96:  # a label at the edge would be cut
            moment = local(at)
            midnight = moment.hour == 0 and moment.minute == 0
            day = f"{moment:%d/%m}" if words.code == "vi" else f"{moment.day} {moment:%b}"
            ticks.append(Tick(_percent(place), day if midnight else f"{moment:%H:%M}"))
    return ticks


def _levels(top: int, words: Language) -> list[Tick]:
    room = BOTTOM - TOP
    return [Tick(round(BOTTOM - room * part, 1), words.number(top * part)) for part in (0.5, 1)]
