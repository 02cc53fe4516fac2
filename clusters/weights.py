"""How much a word weighs: frequencies, the running mean, and the vector on the integer grid.

What learns from the stream lives here. Frequencies and mean stay fixed between two refresh points,
which are counted in posts, so a post's vector does not depend on where a batch was cut.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from clusters.parameters import MEMORY
from streams.grid import FREQUENCY_BITS, GRID, inverse_frequency, on_grid, quantise, sketch, unit
from streams.records import PostColumns

_MASK = np.uint32((1 << FREQUENCY_BITS) - 1)


class Texts(NamedTuple):
    """What is read of n posts with m features in all, once for all who need it."""

    text: np.ndarray  # int64 (m,): which post
    features: np.ndarray  # uint32 (m,): hashes
    use: np.ndarray  # float64 (m,): 1 + ln(occurrences)
    dense: np.ndarray  # float32 (n, d): raw unit rows
    steps: np.ndarray  # int32 (n, d): those on the grid


class Weights:
    """Document frequencies of hashed features and the mean of dense vectors."""

    def __init__(self, dim: int) -> None:
        self._frequency = np.zeros(1 << FREQUENCY_BITS, np.int32)
        self._posts = 0
        self._dense_sum = np.zeros(dim, np.int64)
        self._mean = np.zeros(dim)
        self._forget_pending()

    @property
    def dim(self) -> int:
        return len(self._mean)

    def centre(self, dense: np.ndarray) -> np.ndarray:
        """Raw unit rows minus the running mean, unit again; float64 (n, d)."""
        return unit(dense - self._mean) if dense.shape[1] else dense.astype(np.float64)

    def vectors(self, texts: Texts, dense_weight: float) -> np.ndarray:
        """Posts on the grid, float32 (n, d + LEXICAL)."""
        rarity = inverse_frequency(self._frequency[texts.features & _MASK], self._posts)
        lexical = sketch(texts.text, texts.features, texts.use * rarity, len(texts.dense))
        return on_grid(self.centre(texts.dense), lexical, dense_weight)

    def learn(self, texts: Texts) -> None:
        """Note posts for the next refresh."""
        self._pending_features.append(texts.features & _MASK)
        steps = texts.steps
        self._pending_dense += steps[0] if len(steps) == 1 else np.add.reduce(steps, dtype=np.int64)
        self._pending_posts += len(texts.dense)

    def refresh(self) -> None:
        """Let what was noted count from here on."""
        if self._pending_features:
            np.add.at(self._frequency, np.concatenate(self._pending_features), 1)
        self._dense_sum += self._pending_dense
        self._posts += self._pending_posts
        self._forget_pending()
        if self._posts >= MEMORY:
            self._frequency //= 2
            self._dense_sum //= 2
            self._posts //= 2
        if self._posts:
            self._mean = self._dense_sum / (GRID * self._posts)

    def _forget_pending(self) -> None:
        self._pending_features: list[np.ndarray] = []
        self._pending_dense = np.zeros(self.dim, np.int64)
        self._pending_posts = 0

    def state(self) -> dict[str, Any]:
        held = np.flatnonzero(self._frequency)
        pending = self._pending_features
        return {
            "cells": held.astype(np.uint32),
            "frequency": self._frequency[held],
            "posts": self._posts,
            "dense_sum": self._dense_sum,
            "pending_features": np.concatenate(pending) if pending else np.zeros(0, np.uint32),
            "pending_dense": self._pending_dense,
            "pending_posts": self._pending_posts,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._frequency[:] = 0
        self._frequency[state["cells"]] = state["frequency"]
        self._posts = state["posts"]
        self._dense_sum = state["dense_sum"].copy()
        self._mean = self._dense_sum / (GRID * max(self._posts, 1))
        self._pending_features = [state["pending_features"].copy()]
        self._pending_dense = state["pending_dense"].copy()
        self._pending_posts = state["pending_posts"]


def gather(posts: PostColumns, rows: list[int]) -> Texts:
    """The chosen rows, ascending, of a frame."""
    ends = posts.feature_ends
    first, last = rows[0], rows[-1]
    dense = posts.dense[first : last + 1] if last - first + 1 == len(rows) else posts.dense[rows]
    if len(rows) == 1:  # the common case of a quiet stream
        at: slice | np.ndarray = slice(int(ends[first - 1]) if first else 0, int(ends[first]))
        features = posts.features[at]
        text = np.zeros(len(features), np.int64)
    else:
        starts = np.concatenate([[0], ends[:-1]])[rows]
        sizes = ends[rows] - starts
        text = np.repeat(np.arange(len(rows)), sizes)
        at = np.arange(len(text)) + np.repeat(starts - (np.cumsum(sizes) - sizes), sizes)
        features = posts.features[at]
    use = _USE[posts.feature_counts[at]]
    return Texts(text, features, use, dense, quantise(dense))


_USE = 1.0 + np.log(np.maximum(np.arange(256, dtype=np.float64), 1.0))
"""1 + ln(occurrences) for the 256 values of a count."""
