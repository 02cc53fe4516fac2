"""The console's arithmetic: timelines, axes, charts, figures in words."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from console.buckets import BUCKET, HOUR, hour_ticks, per_step, rebucket, recent, round_top
from console.charts import BOTTOM, TOP, sparkline, timeline_chart, trend_chart
from console.language import DAY, MINUTE, Language, local
from console.links import mark, outside_link
from console.signals import reasons, signal_rows
from stores.base import Signal, TrendDocument

VI, EN = Language("vi"), Language("en")
NOON = 1_777_611_600_000  # 2026-05-01 12:00 in Vietnam

timelines = st.dictionaries(st.integers(0, 40_000), st.integers(1, 500), max_size=288).map(
    lambda counts: [(NOON + place * BUCKET, posts) for place, posts in sorted(counts.items())]
)
times = st.integers(0, 4_000_000_000_000)


@given(timelines, st.integers(1, 100))
def test_rebucketing_keeps_all_posts_in_the_bars_allowed(timeline, bars):
    start, step, counts = rebucket(timeline, bars)
    assert len(counts) <= bars
    span = timeline[-1][0] - timeline[0][0] if timeline else 0
    if span < (bars - 1) * 7 * DAY:
        assert sum(counts) == sum(posts for _, posts in timeline)
    assert start % step == 0


def test_recent_counts_only_the_span_before_now():
    timeline = [(NOON - HOUR, 1), (NOON - HOUR + BUCKET, 2), (NOON, 4), (NOON + BUCKET, 8)]
    assert recent(timeline, NOON, HOUR) == 6


def test_per_step_leaves_out_what_lies_outside():
    assert per_step([(0, 1), (BUCKET, 2), (3 * BUCKET, 4)], BUCKET, 2 * BUCKET, 1) == [2]


@given(st.lists(st.integers(0, 10**9)))
def test_an_axis_holds_all_values_and_is_at_least_two_fifths_full(values):
    top = round_top(values)
    assert top % 2 == 0 and top >= max(values, default=0)
    assert max(values, default=0) >= 0.4 * top or top == 2


@given(times, st.integers(BUCKET, 400 * DAY), st.integers(1, 12))
def test_ticks_are_few_round_and_inside(start, span, most):
    ticks = hour_ticks(start, start + span, most)
    assert len(ticks) <= most + 1
    assert all(start <= tick <= start + span and tick % (15 * MINUTE) == 0 for tick in ticks)


def _trend(minute: int, language: str, posts: int, **raised: int) -> TrendDocument:
    bucket = NOON + minute * MINUTE
    return TrendDocument(
        bucket=bucket, language=language, platform="x", version=1, posts=posts, **raised
    )


def test_a_trend_chart_stacks_languages_and_marks_alerts():
    trends = [
        _trend(-10, "en", 5),
        _trend(-10, "vi", 15, alerts_confirm=1),
        _trend(-5, "vi", 10, alerts_suggest=2),
    ]
    chart = trend_chart(trends, NOON, 8 * HOUR, VI)
    assert chart is not None
    assert len(chart.bars) == 12  # an hour at least
    assert [name for _, name in chart.legend] == ["Việt", "Anh"]
    stacked = next(bar for bar in chart.bars if len(bar.segments) == 2)
    lower, upper = stacked.segments
    assert lower.y + lower.height == BOTTOM and upper.y + upper.height == lower.y
    assert upper.y == TOP  # 20 of 20
    assert stacked.marks == ["confirm"]
    assert stacked.tip == "11:50–11:55: 20 bài · Việt 15, Anh 5 · Xác nhận: 1 cảnh báo"
    assert [row.figures for row in chart.rows] == [
        ["10", "0", "10", "Gợi ý: 2 cảnh báo"],
        ["15", "5", "20", "Xác nhận: 1 cảnh báo"],
    ]


def test_many_languages_share_the_last_colour():
    trends = [_trend(0, f"x{n}", n + 1) for n in range(9)]
    chart = trend_chart(trends, NOON, HOUR, EN)
    assert chart is not None
    assert len(chart.legend) == 6 and chart.legend[-1] == (5, "Other")
    assert sum(int(figure) for figure in chart.rows[0].figures[:6]) == 45


def test_without_posts_there_is_no_chart():
    assert trend_chart([], NOON, HOUR, VI) is None
    assert timeline_chart([], [], NOON, VI) is None


@given(timelines)
def test_bars_stay_inside_their_chart(timeline):
    chart = timeline_chart(timeline, [], NOON, VI)
    for bar in chart.bars if chart else []:
        assert bar.x >= 0 and bar.x + bar.width <= 100
        assert all(TOP - 0.02 <= segment.y <= BOTTOM for segment in bar.segments)


def test_moments_outside_the_timeline_are_left_out():
    moments = [(NOON, "suggest", "in"), (NOON + 30 * DAY, "confirm", "out")]
    chart = timeline_chart([(NOON, 1), (NOON + HOUR, 1)], moments, NOON, VI)
    assert chart is not None
    assert [text for _, _, text in chart.lines] == ["in"]


def test_a_sparkline_ends_at_now():
    line = sparkline([(NOON - 7 * HOUR, 100), (NOON, 3)], NOON, VI)
    assert line.last == 3
    assert line.line.endswith("130.0,4.0")  # right, on top: what is older than six hours is not in
    assert line.label.endswith("3 bài")


def test_figures_are_written_as_readers_expect():
    assert (VI.number(18432), EN.number(18432)) == ("18.432", "18,432")
    assert (VI.number(0.5), EN.number(9.149), EN.number(41.26)) == ("0,5", "9.15", "41.3")
    assert (VI.number(float("nan")), EN.number(1e15)) == ("–", "1,000,000,000,000,000")
    assert VI.measure(0.415, "share of posts") == "42\u00a0%"
    assert EN.measure(3.0, "times") == "3×"
    assert (EN.count("n_posts", 1), EN.count("n_posts", 2), VI.count("n_posts", 2)) == (
        "1 post",
        "2 posts",
        "2 bài",
    )


def test_time_is_vietnams_and_dated_when_not_today():
    assert VI.clock(NOON, NOON + HOUR) == "12:00"
    assert VI.clock(NOON, NOON + DAY) == "12:00 · 01/05"
    assert EN.clock(NOON) == "12:00 · 1 May"
    ages = [VI.ago(NOON - ms, NOON) for ms in (0, 119 * MINUTE, 120 * MINUTE, 3 * DAY)]
    assert ages == ["vừa xong", "119 phút trước", "2 giờ trước", "3 ngày trước"]
    assert local(10**18).year == 9999  # no calendar holds it, no page breaks


def _signal(name: str, value: float, threshold: float) -> Signal:
    return Signal(name=name, value=value, threshold=threshold, unit="posts", definition="What.")


def test_reasons_are_the_strongest_and_never_what_speaks_against():
    signals = [
        _signal("volume", 10, 20),
        _signal("voices", 16, 8),
        _signal("wordings", 80, 8),
        _signal("advert_share", 0.9, 0.5),
        _signal("growth", 0, 3),
    ]
    assert [row.name for row in reasons(signals, EN)] == ["Wordings", "Distinct voices", "Volume"]
    rows = {row.name: row for row in signal_rows(signals, EN)}
    assert rows["Adverts"].past and not rows["Volume"].past


def test_a_bar_is_half_full_at_its_threshold():
    parts = [row.part for row in signal_rows([_signal("volume", n, 20) for n in (20,)], EN)]
    assert parts == [50.0]
    assert 0 <= signal_rows([_signal("volume", 10**9, 20)], EN)[0].part <= 100


@given(st.text(), st.text())
def test_marking_changes_no_letter(text, query):
    assert "".join(piece.text for piece in mark(text, query)) == text


def test_marks_follow_the_stores_idea_of_a_word():
    found = [piece.text for piece in mark("Đập vỡ rồi, dap do; đạp xe. 晨露叶治病", "dap 露")]
    assert "Đập" in found and "dap" in found and "đạp" in found
    assert [piece.text for piece in mark("đậpp", "dap") if piece.found] == []


@given(st.text())
def test_only_web_addresses_become_links(url):
    link = outside_link(url)
    assert link is None or link.href.lower().startswith(("http://", "https://"))
    assert outside_link("javascript://x.example/%0aalert(1)") is None
