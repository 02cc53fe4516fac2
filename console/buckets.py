"""Arithmetic on timelines: pairs (start of a 5-minute bucket in ms, posts), oldest first."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from math import ceil, floor, log10

BUCKET = 300_000  # ms, the store's bucket
HOUR = 3_600_000
STEPS = tuple(BUCKET * n for n in (1, 2, 3, 6, 12, 36, 72, 144, 288, 2016))  # 5 min ... 7 days

Timeline = Sequence[tuple[int, int]]


def floor_to(at: int, step: int) -> int:
    """The start of the step that holds `at`."""
    return at - at % step


def per_step(timeline: Timeline, start: int, step: int, steps: int) -> list[int]:
    """Posts in each of `steps` steps from `start`; what lies outside is left out."""
    counts = [0] * steps
    first = bisect_left(timeline, (start, 0))
    for at, posts in timeline[first : bisect_left(timeline, (start + step * steps, 0))]:
        counts[(at - start) // step] += posts
    return counts


def recent(timeline: Timeline, now: int, span: int) -> int:
    """Posts of the buckets that began less than `span` ms before `now`."""
    first, stop = bisect_left(timeline, (now - span + 1, 0)), bisect_left(timeline, (now + 1, 0))
    return sum(posts for _, posts in timeline[first:stop])


def rebucket(timeline: Timeline, bars: int) -> tuple[int, int, list[int]]:
    """(start, step, counts) that hold the timeline in at most `bars` bars of a week at most."""
    if not timeline:
        return 0, BUCKET, []
    first, last = timeline[0][0], timeline[-1][0]
    for step in STEPS:
        start = floor_to(first, step)
        steps = (last - start) // step + 1
        if steps <= bars:
            break
    else:  # longer than `bars` weeks: the newest part
        start, steps = floor_to(last, step) - (bars - 1) * step, bars
    return start, step, per_step(timeline, start, step, steps)


def round_top(values: Iterable[float]) -> int:
    """The least of 2, 4, 6, 8, 10, 20, 30, 40, 50 ... that holds all values; its half is whole."""
    most = max(values, default=0)
    if most <= 2:
        return 2
    power = int(10 ** floor(log10(most)))
    for factor in (1, 2, 3, 4, 5, 6, 8):
        if most <= factor * power and factor * power % 2 == 0:
            return factor * power
    return 10 * power


def hour_ticks(start: int, end: int, most: int, offset: int = 7 * HOUR) -> list[int]:
    """At most `most` round local hours between start and end (ms); `offset` is local minus UTC."""
    span = end - start
    for step in (BUCKET * 3, BUCKET * 6, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, 24 * HOUR):
        if span / step <= most:
            break
    else:
        step = 24 * HOUR * ceil(span / (24 * HOUR) / most)
    first = floor_to(start + offset, step) + step - offset
    return list(range(first, end, step))
