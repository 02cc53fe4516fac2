"""Micro-clusters as arrays, one a row, and how like rows are."""

from __future__ import annotations

import numpy as np

from alerts.ahead import Rows
from alerts.likeness import agreement, cosines, posts_apart
from streams.grid import LEXICAL


class Compared:
    """Vectors on the integer grid, and what is needed to compare them."""

    def __init__(self, dim: int) -> None:
        # Whole numbers; both parts of a row together have a length of about GRID. Two arrays, because
        # a product reads all of it from memory and meaning alone asks for the first.
        self._meant = np.zeros((0, dim), np.float32)
        self._said = np.zeros((0, LEXICAL), np.float32)
        self._posts = np.zeros(0, np.int64)  # vectors in the sums
        self._lengths = np.zeros(0, np.float32)  # of the vectors
        self._dense_lengths = np.zeros(0, np.float32)  # of their dense part
        self._spread = np.zeros(0, np.float32)  # length of the mean of its posts' unit vectors

    def _standing(self, size: int) -> Rows:
        """The first rows as they stand; views."""
        return Rows(
            self._meant[:size],
            self._said[:size],
            self._lengths[:size],
            self._dense_lengths[:size],
            self._spread[:size],
            self._posts[:size],
        )

    def similarity(self, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Cosines of rows with others, float32."""
        if len(others) == 1 < len(rows):
            return self.similarity(others, rows).T
        if len(rows) == 1:  # often, and a row by its number is not copied
            row = int(rows[0])
            product = self._meant[others] @ self._meant[row]
            product += self._said[others] @ self._said[row]
            return cosines(product, self._lengths[row], self._lengths[others])[None]
        product = self._meant[rows] @ self._meant[others].T
        product += self._said[rows] @ self._said[others].T
        return cosines(product, self._lengths[rows][:, None], self._lengths[others])

    def between_posts(self, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Mean cosines between the posts of rows and those of others, float32.

        The cosine of two centroids grows with the posts behind them, because what the posts do not
        share averages out. Times both spreads it is the mean cosine of a post here with one there.
        """
        return self.posts_apart(self.similarity(rows, others), rows, others)

    def posts_apart(
        self, similarity: np.ndarray, rows: np.ndarray, others: np.ndarray
    ) -> np.ndarray:
        """Cosines of rows with others as mean cosines between their posts, float32."""
        return posts_apart(similarity, self._spread[rows][:, None], self._spread[others])

    def agreement(self, similarity: np.ndarray, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Mean cosines between the posts of rows and those of others; what they lack counts more
        where posts are few."""
        apart = self.posts_apart(similarity, rows, others)
        return agreement(apart, self._posts[rows][:, None], self._posts[others])

    def meaning(self, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Cosines of the dense parts alone of rows with others, float32."""
        product = self._meant[rows] @ self._meant[others].T
        return cosines(product, self._dense_lengths[rows][:, None], self._dense_lengths[others])
