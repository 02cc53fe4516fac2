"""The integer grid: whole numbers below 2**24, so that float32 adds and multiplies them exactly."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clusters.parameters import FULL
from clusters.table import MicroTable
from streams.grid import (
    GRID,
    LEXICAL,
    SLOTS,
    int8,
    inverse_frequency,
    on_grid,
    quantise,
    sketch,
    spread,
    unit,
)

EXACT = 2**24  # float32 holds every whole number up to here
DIM = 256


def texts(seed: int, n: int, most: int = 120) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row, hash and weight of the features of n texts; some texts have none."""
    chance = np.random.default_rng(seed)
    sizes = chance.integers(0, most, n)
    rows = np.repeat(np.arange(n), sizes)
    features = chance.integers(0, 2**32, len(rows), dtype=np.uint64).astype(np.uint32)
    return rows, features, chance.random(len(rows)) * 9 + 0.01


def vectors(seed: int, n: int, dim: int = DIM) -> np.ndarray:
    dense = unit(np.random.default_rng(seed).normal(size=(n, dim)))
    return on_grid(dense, sketch(*texts(seed, n), n), 0.3)


class TestSketch:
    def test_a_feature_falls_into_signed_slots_of_equal_size(self) -> None:
        slots, signs = spread(np.arange(1000, dtype=np.uint32))
        assert slots.shape == signs.shape == (1000, SLOTS)
        assert slots.min() >= 0
        assert slots.max() < LEXICAL
        assert set(np.abs(signs).ravel()) == {1 / math.sqrt(SLOTS)}
        assert abs(signs.mean()) < 0.05, "half of the signs are negative"

    def test_rows_have_length_one_or_zero(self) -> None:
        rows = np.linalg.norm(
            sketch(np.array([0, 0, 2]), np.array([1, 2, 3], np.uint32), np.ones(3), 4), axis=1
        )
        assert rows == pytest.approx([1, 0, 1, 0])

    @given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 40))
    @settings(max_examples=30)
    def test_a_row_does_not_depend_on_its_neighbours(self, seed: int, n: int) -> None:
        rows, features, weights = texts(seed, n)
        together = sketch(rows, features, weights, n)
        for row in range(n):
            own = rows == row
            alone = sketch(np.zeros(own.sum(), np.int64), features[own], weights[own], 1)
            assert alone.tobytes() == together[row : row + 1].tobytes()

    def test_rare_features_weigh_more(self) -> None:
        frequency = np.array([0, 1, 10, 100])
        assert inverse_frequency(frequency, 100) == pytest.approx(np.log(102 / (frequency + 1)))
        assert (np.diff(inverse_frequency(frequency, 100)) < 0).all()


class TestGrid:
    def test_vectors_are_whole_numbers_about_as_long_as_the_grid(self) -> None:
        x = vectors(1, 500)
        assert x.dtype == np.float32
        assert (x == np.rint(x)).all()
        lengths = np.linalg.norm(x.astype(np.float64), axis=1)
        assert np.abs(lengths - GRID).max() < 4

    def test_a_missing_part_leaves_the_other_whole(self) -> None:
        dense = unit(np.random.default_rng(2).normal(size=(2, DIM)))
        words = sketch(np.array([0] * 9), np.arange(9, dtype=np.uint32), np.ones(9), 2)
        both, dense_alone = on_grid(dense, words, 0.3)
        (words_alone,) = on_grid(np.zeros((1, DIM)), words[:1], 0.3)
        (no_dimension,) = on_grid(np.zeros((1, 0)), words[:1], 0.3)
        length = GRID**2
        assert (both[:DIM] ** 2).sum() == pytest.approx(0.3 * length, rel=0.03)
        assert (both[DIM:] ** 2).sum() == pytest.approx(0.7 * length, rel=0.03)
        assert (dense_alone**2).sum() == pytest.approx(length, rel=0.03)
        assert (words_alone[:DIM] == 0).all()
        assert (words_alone[DIM:] ** 2).sum() == pytest.approx(length, rel=0.03)
        assert (no_dimension == words_alone[DIM:]).all()
        assert (on_grid(np.zeros((1, DIM)), np.zeros((1, LEXICAL)), 0.3) == 0).all()

    def test_quantised_rows_are_the_nearest_steps(self) -> None:
        x = unit(np.random.default_rng(3).normal(size=(50, DIM))).astype(np.float32)
        assert np.abs(quantise(x) / GRID - x).max() <= 0.5 / GRID + 1e-6

    @given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 70))
    @settings(max_examples=30)
    def test_products_are_exact_for_any_batch_and_order(self, seed: int, n: int) -> None:
        x, y = vectors(seed, n), vectors(seed + 1, 40)
        sums = y[:20] * 31 + y[20:]
        exact = x.astype(np.int64) @ sums.astype(np.int64).T
        assert (np.abs(exact) < EXACT).all()
        chance = np.random.default_rng(seed)
        order, width = chance.permutation(n), chance.permutation(x.shape[1])
        cut = int(chance.integers(0, n + 1))
        assert (x @ sums.T == exact).all()
        assert (x[order] @ sums.T == exact[order]).all()
        assert (x[:, width] @ sums[:, width].T == exact).all()
        assert (np.concatenate([x[:cut] @ sums.T, x[cut:] @ sums.T]) == exact).all()


class TestSums:
    @pytest.mark.parametrize("words", [1, 2, 3, 5, 10, 30, 100, 400])
    @pytest.mark.parametrize("dim", [0, DIM])
    def test_a_micro_cluster_of_equal_posts_stays_exact(self, words: int, dim: int) -> None:
        """The longest sums there are: every post points the same way. They are halved in time."""
        features = np.arange(words, dtype=np.uint32) * np.uint32(2654435761)
        lexical = sketch(np.zeros(words, int), features, np.ones(words), 1)
        dense = unit(np.random.default_rng(words).normal(size=(1, dim)))
        (x,) = on_grid(dense, lexical, 0.3)
        whole = x.astype(np.int64)
        table = MicroTable(dim + LEXICAL)
        at = table.open("m", 0)
        for _ in range(5 * FULL):
            product = int(whole @ table.sums[at].astype(np.int64))
            assert product < EXACT
            assert float(table.products(x[None])[0, at]) == product
            table.add(at, x)
            assert np.abs(table.sums[at]).max() < 2**15, "a checkpoint holds it in 16 bits"
            assert (table.sums[at] == np.rint(table.sums[at])).all()


class TestInt8:
    def test_the_direction_stays_and_the_largest_component_is_127(self) -> None:
        sums = np.array([[-9_000_000, 4_500_000, 35_432, 35_434, 0, 1]], np.int64)[0]
        assert np.frombuffer(int8(sums), np.int8).tolist() == [-127, 64, 0, 1, 0, 0]

    def test_it_depends_on_the_direction_alone(self) -> None:
        sums = np.random.default_rng(1).integers(-(2**20), 2**20, 256)
        assert int8(sums) == int8(7 * sums) == int8(2**30 * sums)
        assert np.array_equal(
            np.frombuffer(int8(-sums), np.int8), -np.frombuffer(int8(sums), np.int8)
        )

    @pytest.mark.parametrize("size", [0, 3])
    def test_nothing_gives_nothing(self, size: int) -> None:
        assert int8(np.zeros(size, np.int64)) == b""
