"""Event time: what moves the watermark, what is late, and where a replay's ticks stand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.codec import pack_state, unpack_state
from streams.time import NEVER, EventTicks, Watermark

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
T = 1_790_000_000_000


def clock(lateness_ms: int = DAY, silent_ms: int = 5 * MINUTE) -> Watermark:
    return Watermark(lateness_ms=lateness_ms, silent_ms=silent_ms)


class TestWatermark:
    def test_nothing_moved_it_yet(self) -> None:
        assert clock().value == NEVER

    def test_follows_the_newest_post_of_a_lone_source(self) -> None:
        mark = clock()
        mark.post("a", T)
        mark.post("a", T + HOUR)
        mark.post("a", T + MINUTE)
        assert mark.value == T + HOUR

    def test_is_the_slowest_of_the_sources_that_speak(self) -> None:
        mark = clock()
        mark.tick(T)
        mark.post("fast", T + 4 * MINUTE)
        mark.post("slow", T + MINUTE)
        assert mark.value == T + 4 * MINUTE  # it never goes back
        mark.post("fast", T + 9 * MINUTE)
        assert mark.value == T + 4 * MINUTE
        mark.post("slow", T + 6 * MINUTE)
        assert mark.value == T + 6 * MINUTE

    def test_a_source_silent_for_five_minutes_stops_holding_it_back(self) -> None:
        mark = clock()
        mark.post("slow", T)
        mark.post("fast", T)
        mark.tick(T + 4 * MINUTE)
        mark.post("fast", T + 4 * MINUTE)
        assert mark.value == T, "the slow source still counts"
        mark.tick(T + 5 * MINUTE)
        assert mark.value == T, "silent for exactly the limit"
        mark.tick(T + 5 * MINUTE + 1)
        assert mark.value == T + 4 * MINUTE

    def test_without_a_speaking_source_it_is_the_tick(self) -> None:
        mark = clock()
        mark.tick(T)
        assert mark.value == T
        mark.post("a", T + MINUTE)
        mark.tick(T + HOUR)
        assert mark.value == T + HOUR

    def test_a_source_that_speaks_again_does_not_pull_it_back(self) -> None:
        mark = clock()
        mark.post("a", T)
        mark.tick(T + HOUR)
        mark.post("a", T + MINUTE)
        assert mark.value == T + HOUR

    @given(st.lists(st.tuples(st.sampled_from(["a", "b", "tick"]), st.integers(0, 2 * DAY))))
    def test_never_goes_back(self, steps: list[tuple[str, int]]) -> None:
        mark, before = clock(), NEVER
        for who, at in steps:
            if who == "tick":
                mark.tick(T + at)
            else:
                mark.post(who, T + at)
            assert mark.value >= before
            before = mark.value

    @given(st.lists(st.tuples(st.sampled_from(["a", "b", "tick"]), st.integers(0, 2 * DAY))))
    def test_goes_on_from_a_checkpoint(self, steps: list[tuple[str, int]]) -> None:
        mark, restored = clock(), clock()
        for who, at in steps:
            fresh = clock()
            fresh.restore(unpack_state(pack_state(restored.state())))
            restored = fresh
            for one in (mark, restored):
                if who == "tick":
                    one.tick(T + at)
                else:
                    one.post(who, T + at)
            assert restored.value == mark.value


class TestLateness:
    def test_a_day_behind_its_own_source_is_in_time_and_older_is_late(self) -> None:
        mark = clock()
        mark.post("a", T)
        assert not mark.is_late("a", T - DAY)
        assert mark.is_late("a", T - DAY - 1)

    def test_another_source_does_not_make_a_post_late(self) -> None:
        mark = clock()
        mark.post("a", T)
        assert not mark.is_late("b", T - 10 * DAY)

    def test_ticks_do_not_make_a_post_late(self) -> None:
        # A source that was cut off for a week delivers what it held.
        mark = clock()
        mark.post("a", T)
        mark.tick(T + 7 * DAY)
        assert not mark.is_late("a", T + MINUTE)


class TestEventTicks:
    def ticks(self, *times: int, period: int = MINUTE) -> list[list[int]]:
        made = EventTicks(period)
        return [list(made.before(at)) for at in times] + [list(made.last())]

    def test_one_stands_before_the_first_post_of_each_new_period(self) -> None:
        start = T // MINUTE * MINUTE
        assert self.ticks(start + 5, start + 7, start + MINUTE, start + 4 * MINUTE + 9) == [
            [],
            [],
            [start + MINUTE],
            [start + 4 * MINUTE],
            [start + 5 * MINUTE],
        ]

    def test_posts_out_of_order_make_no_tick(self) -> None:
        start = T // MINUTE * MINUTE
        assert self.ticks(start + HOUR, start, start + HOUR) == [
            [],
            [],
            [],
            [start + HOUR + MINUTE],
        ]

    def test_a_stream_without_posts_is_closed_too(self) -> None:
        # Its dead records are counted at that tick.
        assert self.ticks() == [[0]]

    def test_a_period_must_be_positive(self) -> None:
        with pytest.raises(ValueError, match="positive"):
            EventTicks(0)
