"""The micro-clusters that the alert fold knows: raw sums, and their vectors on the integer grid."""

from __future__ import annotations

from typing import Any

import numpy as np

from alerts.coherence import Coherence, coherence
from alerts.parameters import FEATURES_KEPT, FEW, LIKENESS, MEMORY
from streams.grid import FREQUENCY_BITS, GRID, LEXICAL, inverse_frequency, on_grid, sketch, unit
from streams.records import MicroDelta

_MASK = np.uint32((1 << FREQUENCY_BITS) - 1)
_MEASURES = ("_lengths", "_dense_lengths", "_spread")  # follow from the rest; not part of the state


class Micros:
    """Rows of active micro-clusters in order of arrival, weighed by this fold's own frequencies.

    Changes of several cluster partitions meet here, so they bring raw sums; weights learned from
    all of them make the vectors comparable.
    """

    def __init__(self, dim: int, dense_weight: float) -> None:
        self._dim = dim
        self._dense_weight = dense_weight
        self._frequency = np.zeros(1 << FREQUENCY_BITS, np.int32)
        self._seen = 0  # vectors that entered sums
        self._dense_total = np.zeros(dim, np.int64)
        self.size = 0
        # Whole numbers; both parts of a row together have a length of about GRID. Two arrays, because
        # a product reads all of it from memory and meaning alone asks for the first.
        self._meant = np.zeros((0, dim), np.float32)
        self._said = np.zeros((0, LEXICAL), np.float32)
        self.rumor = np.zeros(0, np.int64)  # number of the rumor that the row belongs to; -1: gone
        self.event = np.zeros(0, np.int64)  # number of that rumor's event; not part of the state
        self._dense = np.zeros((0, dim), np.int64)
        self._posts = np.zeros(0, np.int64)  # vectors in the sums
        self._judged = np.zeros(0, np.int64)  # vectors when it was last due
        self._lengths = np.zeros(0, np.float32)  # of the vectors
        self._dense_lengths = np.zeros(0, np.float32)  # of their dense part
        self._spread = np.zeros(0, np.float32)  # length of the mean of its posts' unit vectors
        self._features: list[tuple[np.ndarray, np.ndarray]] = []
        self.ids: list[str] = []
        self._row: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._row)

    def row(self, micro_id: str) -> int | None:
        return self._row.get(micro_id)

    def _grow(self) -> None:
        capacity = max(64, 2 * len(self.rumor))
        for name in (
            "_meant",
            "_said",
            "rumor",
            "event",
            "_dense",
            "_posts",
            "_judged",
            *_MEASURES,
        ):
            old = getattr(self, name)
            new = np.zeros((capacity, *old.shape[1:]), old.dtype)
            new[: len(old)] = old
            setattr(self, name, new)

    def add(self, delta: MicroDelta) -> tuple[np.ndarray, np.ndarray]:
        """Take up a change's sums.

        Returns the rows of the delta's micro-clusters, int64 (k,), and those among them that are
        due to be compared again: new ones, and those whose sums have doubled since they last were.
        """
        rows = np.array([self._row_for(m) for m in delta.id], np.int64)
        if not len(rows) or not delta.vectors.any():  # what is due was found due when its sums grew
            return rows, rows[:0]
        entered = delta.vectors.nonzero()[0]
        start = 0
        for row, end, posts in zip(
            rows.tolist(), delta.feature_ends.tolist(), delta.vectors.tolist(), strict=True
        ):
            if posts:
                self._features[row] = _merged(
                    self._features[row], delta.features[start:end], delta.feature_sums[start:end]
                )
            start = end
        self._dense[rows[entered]] += delta.dense[entered]
        self._posts[rows[entered]] += delta.vectors[entered]
        if delta.vectors.min() < 0:  # posts were moved from one to another
            self._posts[rows] = np.maximum(self._posts[rows], 0)
        self._weigh(rows[entered])
        self._learn(delta)
        posts_in = self._posts[rows]
        due = rows[(posts_in >= 2 * self._judged[rows]) & (posts_in > 0)]
        self._judged[due] = self._posts[due]
        return rows, due

    def _row_for(self, micro_id: str) -> int:
        row = self._row.get(micro_id)
        if row is None:
            if self.size == len(self.rumor):
                self._grow()
            row = self._row[micro_id] = self.size
            self.size += 1
            self.rumor[row] = self.event[row] = -1
            self._dense[row] = 0
            self._posts[row] = self._judged[row] = 0
            self._lengths[row] = self._dense_lengths[row] = self._spread[row] = 1
            self._features.append((np.zeros(0, np.uint32), np.zeros(0, np.int64)))
            self.ids.append(micro_id)
        return row

    def _weigh(self, rows: np.ndarray) -> None:
        """Bring the vectors of rows up to date with their sums and today's frequencies."""
        held = [self._features[r] for r in rows.tolist()]
        if len(held) == 1:
            features, sums = held[0]
            text = np.zeros(len(features), np.int64)
        else:
            features = np.concatenate([f for f, _ in held])
            sums = np.concatenate([s for _, s in held])
            text = np.repeat(np.arange(len(held)), [len(f) for f, _ in held])
        dense, lexical = self.parts(self._dense[rows], self._posts[rows], text, features, sums)
        vectors = on_grid(dense, lexical, self._dense_weight)
        self._meant[rows], self._said[rows] = np.split(vectors, [self._dim], axis=1)
        self._lengths[rows], self._dense_lengths[rows], self._spread[rows] = self._measured(
            vectors, self._posts[rows]
        )

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
        rarity = inverse_frequency(self._frequency[features & _MASK], self._seen)
        lexical = sketch(text, features, sums * rarity, len(dense))
        mean = dense / (GRID * np.maximum(posts, 1))[:, None]
        if self._seen:
            mean = mean - self._dense_total / (GRID * self._seen)
        return unit(mean), lexical

    def sums(self, rows: np.ndarray) -> tuple[np.ndarray, int, np.ndarray, np.ndarray]:
        """Rows added up: dense int64 (d,), vectors in it, features uint32 (m,), sums int64 (m,)."""
        held = (np.zeros(0, np.uint32), np.zeros(0, np.int64))
        for row in rows.tolist():
            held = _merged(held, *self._features[row])
        return self._dense[rows].sum(axis=0), int(self._posts[rows].sum()), *held

    def _measured(
        self, vectors: np.ndarray, posts: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Lengths of whole vectors and of their dense parts, and the spread of so many posts.

        The mean of n unit vectors whose cosines are LIKENESS on average has the length
        sqrt(LIKENESS + (1 - LIKENESS) / n).
        """
        spread = np.sqrt(LIKENESS + (1.0 - LIKENESS) / np.maximum(posts, 1))
        return _length(vectors), _length(vectors[:, : self._dim]), spread.astype(np.float32)

    def _learn(self, delta: MicroDelta) -> None:
        np.add.at(self._frequency, delta.features & _MASK, delta.feature_posts)
        self._seen += int(delta.vectors.sum())
        self._dense_total += delta.dense.sum(axis=0, dtype=np.int64)
        if self._seen >= MEMORY:
            self._frequency //= 2
            self._dense_total //= 2
            self._seen //= 2

    def similarity(self, rows: np.ndarray, others: np.ndarray | None = None) -> np.ndarray:
        """Cosines of rows with others (default: all rows, gone ones included), float32."""
        at = slice(self.size) if others is None else others
        product = self._meant[rows] @ self._meant[at].T + self._said[rows] @ self._said[at].T
        return np.asarray(product / (self._lengths[rows][:, None] * self._lengths[at][None, :]))

    def between_posts(self, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Mean cosines between the posts of rows and those of others, float32.

        The cosine of two centroids grows with the posts behind them, because what the posts do not
        share averages out. Times both spreads it is the mean cosine of a post here with one there.
        """
        return self.posts_apart(self.similarity(rows, others), rows, others)

    def posts_apart(
        self, similarity: np.ndarray, rows: np.ndarray, others: np.ndarray | None = None
    ) -> np.ndarray:
        """Cosines of rows with others as mean cosines between their posts, float32."""
        at = slice(self.size) if others is None else others
        return np.asarray(similarity * self._spread[rows][:, None] * self._spread[at][None, :])

    def agreement(
        self, similarity: np.ndarray, rows: np.ndarray, others: np.ndarray | None = None
    ) -> np.ndarray:
        """Mean cosines between the posts of rows and those of others; what they lack counts more
        where posts are few."""
        at = slice(self.size) if others is None else others
        pairs = np.maximum(self._posts[rows], 1)[:, None] * np.maximum(self._posts[at], 1)
        stretched = (1.0 + FEW / pairs).astype(np.float32)
        return np.asarray(1 - (1 - self.posts_apart(similarity, rows, others)) * stretched)

    def meaning(self, rows: np.ndarray, others: np.ndarray | None = None) -> np.ndarray:
        """Cosines of the dense parts alone of rows with others (default: all rows), float32."""
        at, dense = slice(self.size) if others is None else others, self._meant
        lengths = self._dense_lengths
        return np.asarray(
            (dense[rows] @ dense[at].T) / (lengths[rows][:, None] * lengths[at][None, :])
        )

    def rumors_with(self, micro_ids: list[str]) -> set[int]:
        """Numbers of the rumors that these micro-clusters are in."""
        rows = [row for row in map(self._row.get, micro_ids) if row is not None]
        return {int(self.rumor[row]) for row in rows}

    def drop(self, micro_ids: list[str]) -> None:
        """Forget micro-clusters that left the window."""
        for micro_id in micro_ids:
            row = self._row.pop(micro_id, None)
            if row is not None:
                self.rumor[row] = self.event[row] = -1
                self._meant[row] = self._said[row] = 0
        if self.size - len(self) > max(64, self.size // 8):
            self._close_gaps()

    def _close_gaps(self) -> None:
        keep = np.fromiter(sorted(self._row.values()), np.int64, len(self._row))
        n = len(keep)
        for column in (
            self._meant,
            self._said,
            self.rumor,
            self.event,
            self._dense,
            self._posts,
            self._judged,
            self._lengths,
            self._dense_lengths,
            self._spread,
        ):
            column[:n] = column[keep]
        self._features = [self._features[i] for i in keep]
        self.ids = [self.ids[i] for i in keep]
        self.size = n
        self._row = {m: i for i, m in enumerate(self.ids)}

    def rumors_of(self) -> np.ndarray:
        """The rumor's number of each row, -1 for rows that are gone; a copy."""
        return self.rumor[: self.size].copy()

    def events_of(self) -> np.ndarray:
        """The event's number of each row, -1 for rows that are gone; a copy."""
        return self.event[: self.size].copy()

    def count_of_rumor(self, number: int) -> int:
        """Micro-clusters of a rumor."""
        return int(np.count_nonzero(self.rumor[: self.size] == number))

    def dense_of(self, rows: np.ndarray) -> np.ndarray:
        """Sum of the raw dense vectors of the posts of rows, int64 (dim,): exact in any order."""
        if len(rows) == 1:
            return np.asarray(self._dense[rows[0]])
        return np.asarray(self._dense[rows].sum(axis=0))

    def of_rumor(self, number: int) -> np.ndarray:
        """Rows of a rumor, oldest first."""
        return np.asarray((self.rumor[: self.size] == number).nonzero()[0])

    def texts_of(self, rows: np.ndarray) -> int:
        """Different texts in the sums of rows."""
        return int(self._posts[rows].sum())

    def coherence(self, rows: np.ndarray) -> Coherence:
        """What the texts of rows have in common, by today's frequencies."""
        held = [self._features[row] for row in rows.tolist()]
        features = np.concatenate([f for f, _ in held] or [np.zeros(0, np.uint32)])
        sums = np.concatenate([s for _, s in held] or [np.zeros(0, np.int64)])
        rarity = inverse_frequency(self._frequency[features & _MASK], self._seen)
        return coherence(features, sums, rarity, self.texts_of(rows))

    def state(self) -> dict[str, Any]:
        self._close_gaps()
        n = self.size
        held = np.flatnonzero(self._frequency)
        features = self._features
        return {
            "cells": held.astype(np.uint32),
            "frequency": self._frequency[held],
            "seen": self._seen,
            "dense_total": self._dense_total,
            "vectors": np.hstack([self._meant[:n], self._said[:n]]).astype(np.int16),
            "rumor": self.rumor[:n],
            "dense": self._dense[:n],
            "posts": self._posts[:n],
            "judged": self._judged[:n],
            "ids": self.ids,
            "feature_sizes": np.array([len(f) for f, _ in features], np.int64),
            "features": np.concatenate([f for f, _ in features] or [np.zeros(0, np.uint32)]),
            "feature_sums": np.concatenate([s for _, s in features] or [np.zeros(0, np.int64)]),
        }

    def restore(self, state: dict[str, Any]) -> None:
        n = self.size = len(state["ids"])
        self._frequency[:] = 0
        self._frequency[state["cells"]] = state["frequency"]
        self._seen = state["seen"]
        self._dense_total = state["dense_total"].copy()
        vectors = state["vectors"].reshape(n, self._dim + LEXICAL).astype(np.float32)
        self._meant, self._said = vectors[:, : self._dim].copy(), vectors[:, self._dim :].copy()
        self.rumor = state["rumor"].copy()
        self.event = np.full(n, -1, np.int64)  # the tree knows
        self._dense = state["dense"].reshape(n, self._dim).copy()
        self._posts, self._judged = state["posts"].copy(), state["judged"].copy()
        self._lengths, self._dense_lengths, self._spread = self._measured(vectors, self._posts)
        self.ids = list(state["ids"])
        self._row = {m: i for i, m in enumerate(self.ids)}
        ends = np.cumsum(state["feature_sizes"])[:-1]
        self._features = list(
            zip(
                np.split(state["features"], ends),
                np.split(state["feature_sums"], ends),
                strict=True,
            )
        )[:n]


def _length(x: np.ndarray) -> np.ndarray:
    """Length of whole-number rows, 1 for zero rows; the sum of squares is exact."""
    length = np.sqrt(np.einsum("ij,ij->i", x, x).astype(np.float64))
    return np.where(length > 0, length, 1.0).astype(np.float32)


def _merged(
    old: tuple[np.ndarray, np.ndarray], features: np.ndarray, sums: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Feature sums of both, by hash; when too many, the largest."""
    if len(old[0]):
        both = np.concatenate([old[0], features])
        order = both.argsort(kind="stable")
        both = both[order]
        first = np.ones(len(both), np.bool_)
        np.not_equal(both[1:], both[:-1], out=first[1:])
        starts = first.nonzero()[0]
        total = np.add.reduceat(np.concatenate([old[1], sums])[order], starts)
        distinct = both[starts]
    else:
        # A copy: what comes in may be a view of a message that holds a whole portion.
        distinct, total = features.copy(), sums.astype(np.int64)
    if total.min(initial=1) <= 0:  # words of posts that were moved away
        distinct, total = distinct[total > 0], total[total > 0]
    if len(distinct) > FEATURES_KEPT:
        largest = np.sort(np.lexsort((distinct, -total))[:FEATURES_KEPT])
        distinct, total = distinct[largest], total[largest]
    return distinct, total
