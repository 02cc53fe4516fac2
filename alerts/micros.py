"""The micro-clusters that the alert fold knows: raw sums, and their vectors on the integer grid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from alerts.ahead import Ahead, Stretch
from alerts.coherence import Coherence, coherence
from alerts.compared import Compared
from alerts.features import NONE, Features, merged, summed
from alerts.foreseeing import foresee, measured
from alerts.learnt import Learnt
from alerts.likeness import Floors, Near
from streams.grid import LEXICAL
from streams.records import MicroDelta

_MEASURES = ("_lengths", "_dense_lengths", "_spread")  # follow from the rest; not part of the state
_COLUMNS = ("_meant", "_said", "rumor", "event", "_dense", "_posts", "_judged", *_MEASURES)


class Micros(Compared):
    """Rows of active micro-clusters in order of arrival, weighed by this fold's own frequencies.

    Changes of several cluster partitions meet here, so they bring raw sums; weights learned from
    all of them make the vectors comparable.
    """

    def __init__(self, dim: int, dense_weight: float) -> None:
        super().__init__(dim)
        self._dim = dim
        self._dense_weight = dense_weight
        self.learnt = Learnt(dim)
        self.size = 0
        self.rumor = np.zeros(0, np.int64)  # number of the rumor that the row belongs to; -1: gone
        self.event = np.zeros(0, np.int64)  # number of that rumor's event; not part of the state
        self._dense = np.zeros((0, dim), np.int32)  # int8 of up to 16 million wordings
        self._judged = np.zeros(0, np.int64)  # vectors when it was last due
        self._features: list[Features] = []
        self.ids: list[str] = []
        self._row: dict[str, int] = {}
        self._ahead = Ahead()
        self._floors = Floors(0.0, 0.0)
        # Rows that the last change made due, and what is near each
        self._found: tuple[np.ndarray, list[Near]] | None = None

    def __len__(self) -> int:
        return len(self._row)

    def row(self, micro_id: str) -> int | None:
        return self._row.get(micro_id)

    def _grow(self) -> None:
        capacity = max(64, 2 * len(self.rumor))
        for name in _COLUMNS:
            old = getattr(self, name)
            new = np.zeros((capacity, *old.shape[1:]), old.dtype)
            new[: len(old)] = old
            setattr(self, name, new)

    def expect(self, deltas: Sequence[MicroDelta]) -> None:
        """What most likely comes next, so that much of it can be done at once."""
        self._ahead.expect(deltas)

    def tell_from(self, floors: Floors) -> None:
        """`near` is asked for cosines from these on."""
        self._floors = floors
        self._found = None
        self._ahead.forget()

    def add(self, delta: MicroDelta) -> tuple[np.ndarray, np.ndarray]:
        """Take up a change's sums.

        Returns the rows of the delta's micro-clusters, int64 (k,), and those among them that are
        due to be compared again: new ones, and those whose sums have doubled since they last were.
        """
        lying = [self._row_for(m) for m in delta.id]
        rows = np.array(lying, np.int64)
        found = self._ahead.step(delta)
        if found is None:
            if not any(delta.vectors.tolist()):  # what is due was found due when its sums grew
                return rows, rows[:0]
            self._foresee(self._ahead.coming(delta))
            found = self._ahead.step(delta)
            assert found is not None
        stretch, step = found
        grown = [lying[i] for i in step.entered]
        for row, features in zip(grown, stretch.features[step.at], strict=True):
            self._features[row] = features
        self._put(grown, step.at, stretch)
        self.learnt.learn(step.lesson)
        due = [grown[place - step.at.start] for place in stretch.due[step.due].tolist()]
        for row in due:
            self._judged[row] = self._posts[row]
        asked = np.array(due, np.int64)
        near = self._ahead.entered(step, grown)
        self._found = None if near is None else (asked, near)
        return rows, asked

    def _put(self, rows: list[int], places: slice, stretch: Stretch) -> None:
        """Places of a stretch stand in rows from here on."""
        made = stretch.rows
        single = len(rows) == 1  # most are; a number as an index costs far less than arrays of one
        at: Any = rows[0] if single else rows
        of: Any = places.start if single else places
        self._dense[at], self._posts[at] = stretch.dense[of], made.posts[of]
        self._meant[at], self._said[at] = made.meant[of], made.said[of]
        self._lengths[at], self._dense_lengths[at] = made.lengths[of], made.dense_lengths[of]
        self._spread[at] = made.spread[of]

    def _foresee(self, deltas: Sequence[MicroDelta]) -> None:
        stretch = foresee(deltas, self._known, self.learnt, self._dim, self._dense_weight)
        self._ahead.begin(stretch, self._standing(self.size), self._row.get, self._floors)

    def _known(self, micro_id: str) -> tuple[Features, np.ndarray, int, int] | None:
        row = self._row.get(micro_id)
        if row is None:
            return None
        posts, judged = int(self._posts[row]), int(self._judged[row])
        return self._features[row], self._dense[row], posts, judged

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
            self._meant[row] = self._said[row] = 0
            self._features.append(NONE)
            self.ids.append(micro_id)
        return row

    def sums(self, rows: np.ndarray) -> tuple[np.ndarray, int, np.ndarray, np.ndarray]:
        """Rows added up: dense int64 (d,), vectors in it, features uint32 (m,), sums int64 (m,)."""
        held = NONE
        for row in rows.tolist():
            held = merged(held, *self._features[row])
        return self._dense[rows].sum(axis=0, dtype=np.int64), int(self._posts[rows].sum()), *held

    def near(self, due: np.ndarray) -> list[Near]:
        """What is near each of some rows, nearer than `tell_from` asks for; gone rows included.

        It is at hand for the rows that the last change made due.
        """
        if self._found is not None and due is self._found[0]:
            return self._found[1]
        rows = np.arange(self.size)
        similarity, meaning = self.similarity(due, rows), self.meaning(due, rows)
        agreed = self.agreement(similarity, due, rows)
        return [Near(rows, *one) for one in zip(similarity, agreed, meaning, strict=True)]

    def means_of(self, rumors: Sequence[int]) -> np.ndarray:
        """Means of the posts of rumors (ascending numbers), float32 (n, d + LEXICAL): the product of two is
        the mean of `between_posts`, but for rounding. Zero for a rumor without micro-clusters."""
        numbers = np.array(rumors, np.int64)
        held = self.rumor[: self.size]
        place = np.minimum(numbers.searchsorted(held), len(numbers) - 1)
        rows = (numbers[place] == held).nonzero()[0]
        of = place[rows]
        part = np.zeros((len(numbers), len(rows)), np.float32)
        weight = self._spread[rows] / self._lengths[rows]
        part[of, np.arange(len(rows))] = weight / np.bincount(of, minlength=len(numbers))[of]
        return np.hstack([part @ self._meant[rows], part @ self._said[rows]])

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
                self._found = None
                self._ahead.dropped(micro_id)
        if self.size - len(self) > max(64, self.size // 8):
            self._close_gaps()

    def _close_gaps(self) -> None:
        self._found = None
        self._ahead.forget()
        keep = np.fromiter(sorted(self._row.values()), np.int64, len(self._row))
        n = len(keep)
        for name in _COLUMNS:
            column = getattr(self, name)
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
            return np.asarray(self._dense[rows[0]], np.int64)
        return np.asarray(self._dense[rows].sum(axis=0, dtype=np.int64))

    def of_rumor(self, number: int) -> np.ndarray:
        """Rows of a rumor, oldest first."""
        return np.asarray((self.rumor[: self.size] == number).nonzero()[0])

    def texts_of(self, rows: np.ndarray) -> int:
        """Different texts in the sums of rows."""
        return sum(self._posts[rows].tolist())

    def coherence(self, rows: np.ndarray) -> Coherence:
        """What the texts of rows have in common, by today's frequencies."""
        held = [self._features[row] for row in rows.tolist()]
        features, sums = held[0] if len(held) == 1 else summed(held)
        return coherence(sums, self.learnt.rarity(features), self.texts_of(rows))

    def state(self) -> dict[str, Any]:
        self._close_gaps()
        n = self.size
        held = self._features or [NONE]
        vectors = np.empty((n, self._dim + LEXICAL), np.int16)
        vectors[:, : self._dim], vectors[:, self._dim :] = self._meant[:n], self._said[:n]
        return {
            **self.learnt.state(),
            "vectors": vectors,
            "rumor": self.rumor[:n],
            "dense": self._dense[:n],
            "posts": self._posts[:n],
            "judged": self._judged[:n],
            "ids": self.ids,
            "feature_sizes": np.array([len(f) for f, _ in self._features], np.int64),
            "features": np.concatenate([f for f, _ in held]),
            "feature_sums": np.concatenate([s for _, s in held]),
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._found = None
        self._ahead.forget()
        n = self.size = len(state["ids"])
        self.learnt.restore(state)
        vectors = state["vectors"].reshape(n, self._dim + LEXICAL).astype(np.float32)
        self._meant, self._said = vectors[:, : self._dim].copy(), vectors[:, self._dim :].copy()
        self.rumor = state["rumor"].copy()
        self.event = np.full(n, -1, np.int64)  # the tree knows
        self._dense = state["dense"].reshape(n, self._dim).astype(np.int32)
        self._posts, self._judged = state["posts"].copy(), state["judged"].copy()
        self._lengths, self._dense_lengths, self._spread = measured(
            self._meant, self._said, self._posts
        )
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
