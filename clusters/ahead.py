"""Vectors of a frame's next posts, and their products with all micro-clusters, many at a time.

A single post's product with all micro-clusters reads all of their sums from memory; that of many posts
reads them once. A post that joins changes one sum, so one column of the products of those after it is
brought up to date. All are whole numbers below 2**24, so the result is that of one post after another.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from clusters.table import MicroTable
from clusters.weights import Texts, Weights, gather
from streams.records import PostColumns

MOST = 64
"""Posts taken at a time. From 16 on a row of a product costs a tenth of a lone one."""


class Ahead:
    """The stretch of a frame that is being placed. Posts are placed in ascending order."""

    def __init__(
        self, posts: PostColumns, table: MicroTable, weights: Weights, dense_weight: float
    ) -> None:
        self._posts = posts
        self._table = table
        self._weights = weights
        self._dense_weight = dense_weight
        self._wording = posts.wording.tolist()
        self.forget()

    def forget(self) -> None:
        """Weights have changed: what was made with the old ones is of no use."""
        self._place: dict[int, int] = {}  # row of the frame -> place in the stretch

    def place(self, row: int, most: int, known: Callable[[int], bool]) -> int:
        """A row's place in the arrays below.

        A stretch that begins with it takes up to `most` rows; those of a `known` wording are left
        out, they will need no product. (Were one left out that needs it, it would begin a stretch anew.)
        """
        at = self._place.get(row)
        if at is None or self._moved != self._table.moved:
            self._begin(row, min(most, MOST), known)
            at = 0
        return at

    def _begin(self, row: int, most: int, known: Callable[[int], bool]) -> None:
        rows, used = [row], {self._wording[row]}
        for other in range(row + 1, len(self._wording)):
            if len(rows) == most:
                break
            wording = self._wording[other]
            if not wording or (wording not in used and not known(wording)):
                used.add(wording)
                rows.append(other)
        self._place = {other: at for at, other in enumerate(rows)}
        self._moved = self._table.moved
        self._texts = gather(self._posts, rows)
        self._starts = self._texts.text.searchsorted(np.arange(len(rows) + 1))
        self.vectors = self._weights.vectors(self._texts, self._dense_weight)
        self.products = self._table.products(self.vectors)
        self._gram = self.vectors @ self.vectors.T
        self.lengths = np.sqrt(self._gram.diagonal())

    def joined(self, at: int, micro: int, halved: bool) -> None:
        """The post at a place joined a row of the table, whose sum was halved or not."""
        after = slice(at + 1, len(self.vectors))
        if after.start == after.stop:
            return
        if halved:
            self.products[after, micro] = self.vectors[after] @ self._table.sums[micro]
        else:
            self.products[after, micro] += self._gram[after, at]

    def texts(self, rows: list[int]) -> Texts:
        """What is read of posts, ascending rows."""
        first, last = self._place.get(rows[0], -1), self._place.get(rows[-1], -1)
        if first < 0 or last - first + 1 != len(rows):
            return gather(self._posts, rows)
        posts = slice(first, last + 1)
        span = slice(int(self._starts[first]), int(self._starts[last + 1]))
        whole = self._texts
        return Texts(
            whole.text[span] - first,
            whole.features[span],
            whole.use[span],
            whole.dense[posts],
            whole.steps[posts],
        )
