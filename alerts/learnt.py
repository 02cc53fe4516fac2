"""What the alert fold learns from the stream: how rare words are, and the mean of dense vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from alerts.parameters import MEMORY
from streams.grid import FREQUENCY_BITS, GRID, inverse_frequency, sketch, unit
from streams.records import MicroDelta

_MASK = np.uint32((1 << FREQUENCY_BITS) - 1)


class Lesson(NamedTuple):
    """What is learnt of a change."""

    cells: np.ndarray  # of the frequency table, one for each of its features
    posts: np.ndarray  # int32, same shape: posts that hold the feature
    vectors: int
    dense: np.ndarray  # int64 (d,): their sum


def lesson_of(delta: MicroDelta) -> Lesson:
    """What is learnt of a change."""
    if len(delta.id) == 1:
        vectors, dense = int(delta.vectors[0]), delta.dense[0].astype(np.int64)
    else:
        vectors = int(np.add.reduce(delta.vectors, dtype=np.int64))
        dense = np.add.reduce(delta.dense, axis=0, dtype=np.int64)
    return Lesson(delta.features & _MASK, delta.feature_posts, vectors, dense)


class Learnt:
    """Frequencies and mean over all vectors that entered sums."""

    def __init__(self, dim: int) -> None:
        self._frequency = np.zeros(1 << FREQUENCY_BITS, np.int32)
        self.seen = 0  # vectors that entered sums
        self.dense_total = np.zeros(dim, np.int64)

    def rarity(self, features: np.ndarray) -> np.ndarray:
        """Inverse document frequencies of hashed features, float64, same shape."""
        return inverse_frequency(self.frequency(features), self.seen)

    def parts(
        self,
        dense: np.ndarray,
        posts: np.ndarray,
        text: np.ndarray,
        features: np.ndarray,
        sums: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Dense and lexical unit rows of n sums, by today's mean and frequencies; float64.

        dense int64 (n, d), posts int64 (n,): sums and how many vectors are in them; text int64 (m,):
        the sum to which each feature belongs; features uint32 (m,), sums int64 (m,).
        """
        lexical = sketch(text, features, sums * self.rarity(features), len(dense))
        mean = dense / (GRID * np.maximum(posts, 1))[:, None]
        return unit(mean - self.dense_total / (GRID * max(self.seen, 1))), lexical

    def learn(self, lesson: Lesson) -> None:
        """Take up a change's vectors."""
        self.count(lesson)
        self.seen += lesson.vectors
        self.dense_total += lesson.dense
        if self.seen >= MEMORY:
            self._frequency //= 2
            self.dense_total //= 2
            self.seen //= 2

    def count(self, lesson: Lesson) -> None:
        """Frequencies alone."""
        np.add.at(self._frequency, lesson.cells, lesson.posts)

    def uncount(self, lessons: Sequence[Lesson]) -> None:
        """Take back what `count` added."""
        if lessons:
            cells = np.concatenate([one.cells for one in lessons])
            np.subtract.at(self._frequency, cells, np.concatenate([one.posts for one in lessons]))

    def frequency(self, features: np.ndarray) -> np.ndarray:
        """Posts that hold hashed features, int32, same shape."""
        return np.asarray(self._frequency[features & _MASK])

    def state(self) -> dict[str, Any]:
        held = np.flatnonzero(self._frequency)
        return {
            "cells": held.astype(np.uint32),
            "frequency": self._frequency[held],
            "seen": self.seen,
            "dense_total": self.dense_total,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._frequency[:] = 0
        self._frequency[state["cells"]] = state["frequency"]
        self.seen = state["seen"]
        self.dense_total = state["dense_total"].copy()
