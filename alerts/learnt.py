"""What the alert fold learns from the stream: how rare words are, and the mean of dense vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from alerts.parameters import MEMORY
from streams.grid import FREQUENCY_BITS, GRID, inverse_frequency, sketch, unit
from streams.records import MicroDelta

_MASK = np.uint32((1 << FREQUENCY_BITS) - 1)


class Learnt:
    """Frequencies and mean over all vectors that entered sums."""

    def __init__(self, dim: int) -> None:
        self._frequency = np.zeros(1 << FREQUENCY_BITS, np.int32)
        self.seen = 0  # vectors that entered sums
        self.dense_total = np.zeros(dim, np.int64)

    def rarity(self, features: np.ndarray, seen: int | None = None) -> np.ndarray:
        """Inverse document frequencies of hashed features, float64, same shape."""
        frequency = self._frequency[features & _MASK]
        return inverse_frequency(frequency, self.seen if seen is None else seen)

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

    def learn(self, delta: MicroDelta) -> None:
        """Take up a change's vectors."""
        self.count(delta)
        self.seen += int(delta.vectors.sum())
        self.dense_total += delta.dense.sum(axis=0, dtype=np.int64)
        if self.seen >= MEMORY:
            self._frequency //= 2
            self.dense_total //= 2
            self.seen //= 2

    def count(self, delta: MicroDelta, *, back: bool = False) -> None:
        """Frequencies alone, or take them `back`."""
        apply = np.subtract if back else np.add
        apply.at(self._frequency, delta.features & _MASK, delta.feature_posts)

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
