"""What the alert fold counts and compares: distinct voices, coherence, bursts."""

from __future__ import annotations

import random

import numpy as np
import pytest

from alerts.coherence import coherence
from alerts.distinct import KEPT, Distinct
from alerts.features import summed
from alerts.parameters import DAY, HOUR
from alerts.stream import Stream, surprise


def keys(n: int, seed: int = 1) -> list[int]:
    chance = random.Random(seed)
    return [chance.getrandbits(64) for _ in range(n)]


class TestDistinct:
    def test_exact_while_small_and_by_time(self) -> None:
        counted = Distinct()
        for at, key in enumerate(keys(500) + keys(500)):
            counted.add(key, at)
        assert len(counted) == 500
        assert counted.since(900) == 100
        counted.forget(900)
        assert len(counted) == 100

    @pytest.mark.parametrize("n", [2_000, 30_000])
    def test_bounded_and_near_the_truth_beyond(self, n: int) -> None:
        errors = []
        for seed in range(5):
            counted = Distinct()
            for key in keys(n, seed):
                counted.add(key, 0)
            assert len(counted.newest) <= KEPT
            errors.append(len(counted) / n - 1)
        assert np.sqrt(np.mean(np.square(errors))) < 2 * 1.20 / np.sqrt(KEPT)

    def test_parts_in_any_order_add_up_to_the_whole(self) -> None:
        all_keys = keys(5_000)
        whole = Distinct()
        for key in all_keys:
            whole.add(key, 7)
        for cut in (1, 900, 2_500, 4_999):
            left, right = Distinct(), Distinct()
            for key in all_keys[:cut]:
                left.add(key, 7)
            for key in reversed(all_keys[cut // 2 :]):
                right.add(key, 7)
            right.merge(left)
            assert (right.depth, sorted(right.newest)) == (whole.depth, sorted(whole.newest))


def sums_of(texts: list[list[int]]) -> tuple[np.ndarray, np.ndarray, int]:
    """Sums of 64 a text for each feature, one nat of rarity each."""
    parts = [(np.array(sorted(text), np.uint32), np.full(len(text), 64)) for text in texts]
    features, sums = summed(parts)
    return sums, np.ones(len(features)), len(texts)


class TestCoherence:
    def test_is_what_a_random_pair_has_in_common(self) -> None:
        chance = random.Random(3)
        texts = [chance.sample(range(30), 8) for _ in range(6)]
        pairs = [len(set(texts[i]) & set(texts[j])) for i in range(6) for j in range(6) if i != j]
        shared, overlap = coherence(*sums_of(texts))
        assert shared == pytest.approx(np.mean(pairs), abs=1e-3)
        assert overlap == pytest.approx(np.mean(pairs) / 8, abs=1e-3)

    def test_what_is_common_everywhere_is_worth_nothing(self) -> None:
        sums, rarity, n = sums_of([[1, 2, 3], [1, 2, 4], [1, 2, 5]])
        assert coherence(sums, rarity, n).shared == 2
        rarity[sums == 3 * 64] = 0.0
        assert coherence(sums, rarity, n).shared == 0

    def test_one_text_has_all_of_itself_in_common(self) -> None:
        assert coherence(*sums_of([[1, 2, 3]])) == (3.0, 1.0)

    def test_parts_in_any_order_give_the_same(self) -> None:
        texts = [[1, 2, 3], [2, 3, 4], [3, 4, 5]]
        assert coherence(*sums_of(texts[::-1])) == coherence(*sums_of(texts))

    def test_nothing_has_nothing_in_common(self) -> None:
        assert coherence(*sums_of([])) == (0.0, 0.0)


class TestBursts:
    def test_the_bound_holds_against_the_binomial_tail(self) -> None:
        n, p = 40, 0.05
        tail = 1.0
        chance = (1 - p) ** n
        for k in range(n):
            if k > p * n:
                assert surprise(k, n, p) <= -np.log(tail) + 1e-9
            tail -= chance
            chance *= (n - k) / (k + 1) * p / (1 - p)
            if tail < 1e-9:
                break
        assert surprise(2, n, p) == 0.0
        assert surprise(10, n, p) > 3.0

    def test_a_busy_hour_of_the_whole_stream_is_no_burst(self) -> None:
        assert surprise(20, 400, 0.05) == 0.0
        assert surprise(20, 40, 0.05) > 20

    def test_hours_are_counted_and_let_go(self) -> None:
        stream = Stream()
        for hour in range(1000):
            stream.count(hour * HOUR + 5)
        assert stream.volume(990 * HOUR, 1000 * HOUR) == 10
        stream.forget(1000 * HOUR)
        assert stream.volume(0, 1000 * HOUR) == 2 * DAY // HOUR
        again = Stream()
        again.restore(stream.state())
        assert again.state() == stream.state()
