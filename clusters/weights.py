"""How much a word weighs: frequencies, the running mean, and the vector on the integer grid.

What learns from the stream lives here. Frequencies and mean stay fixed between two refresh points,
which are counted in posts, so a post's vector does not depend on where a batch was cut.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from clusters.parameters import MEMORY
from streams.grid import FREQUENCY_BITS, GRID, inverse_frequency, on_grid, quantise, sketch, unit
from streams.records import PostColumns

_MASK = np.uint32((1 << FREQUENCY_BITS) - 1)


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
        return (
            unit(dense.astype(np.float64) - self._mean)
            if dense.shape[1]
            else dense.astype(np.float64)
        )

    def vectors(self, posts: PostColumns, rows: np.ndarray, dense_weight: float) -> np.ndarray:
        """The chosen rows of a frame on the grid, float32 (n, d + LEXICAL)."""
        text, features, counts = gather(posts, rows)
        rarity = inverse_frequency(self._frequency[features & _MASK], self._posts)
        lexical = sketch(text, features, (1.0 + np.log(counts)) * rarity, len(rows))
        return on_grid(self.centre(posts.dense[rows]), lexical, dense_weight)

    def learn(self, features: np.ndarray, dense: np.ndarray) -> None:
        """Note posts for the next refresh: their features (m,) and raw dense rows (n, d)."""
        self._pending_features.append(features & _MASK)
        self._pending_dense += quantise(dense).sum(axis=0, dtype=np.int64)
        self._pending_posts += len(dense)

    def refresh(self) -> None:
        """Let what was noted count from here on."""
        for features in self._pending_features:
            np.add.at(self._frequency, features, 1)
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


def gather(posts: PostColumns, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features of the chosen rows.

    Index into `rows` int64 (m,), hashes uint32 (m,), counts float64 (m,).
    """
    ends = posts.feature_ends
    starts = np.concatenate([[0], ends[:-1]])[rows] if len(ends) else np.zeros(0, np.int64)
    sizes = ends[rows] - starts
    text = np.repeat(np.arange(len(rows)), sizes)
    offset = np.arange(len(text)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    at = np.repeat(starts, sizes) + offset
    return text, posts.features[at], posts.feature_counts[at].astype(np.float64)
