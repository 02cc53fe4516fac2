"""How sums will stand after each of the next changes, and their vectors; see `alerts.ahead`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from alerts.ahead import MOST, Rows, Step, Stretch
from alerts.features import NONE, Features, joined, merged
from alerts.learnt import Learnt, lesson_of
from alerts.parameters import LIKENESS, MEMORY
from streams.grid import GRID, inverse_frequency, on_grid, sketch, unit
from streams.records import MicroDelta

Known = Callable[[str], tuple[Features, np.ndarray, int, int] | None]
"""A micro-cluster's features, dense sum, vectors in it and when it was last due; None: a new one."""


class _Sums:
    """Sums at each place of a stretch, in the order of the log."""

    def __init__(self, known: Known, dim: int) -> None:
        self._known = known
        self._new = (NONE, np.zeros(dim, np.int64), 0, 0)
        self.names: list[str] = []
        self.features: list[Features] = []
        self.dense: list[np.ndarray] = []
        self.posts: list[int] = []
        self.due: list[int] = []  # places
        self._place: dict[str, int] = {}  # the last one of a micro-cluster
        self._judged: dict[str, int] = {}

    def add(self, delta: MicroDelta, i: int, lessens: bool) -> None:
        """What a delta brings to its i-th micro-cluster; `lessens`: words are taken from some."""
        name = delta.id[i]
        place = self._place.get(name)
        if place is None:
            old, dense, posts, judged = self._known(name) or self._new
            self._judged[name] = judged
        else:
            old, dense, posts = self.features[place], self.dense[place], self.posts[place]
        span = slice(int(delta.feature_ends[i - 1]) if i else 0, int(delta.feature_ends[i]))
        posts = max(posts + int(delta.vectors[i]), 0)  # posts may be moved away
        place = self._place[name] = len(self.posts)
        if posts and posts >= 2 * self._judged[name]:
            self._judged[name] = posts
            self.due.append(place)
        self.names.append(name)
        self.features.append(merged(old, delta.features[span], delta.feature_sums[span], lessens))
        self.dense.append(dense + delta.dense[i])
        self.posts.append(posts)


def foresee(
    deltas: Sequence[MicroDelta], known: Known, learnt: Learnt, dim: int, dense_weight: float
) -> Stretch:
    """A stretch out of the first of the deltas; one at least, if its vectors enter sums.

    `learnt` is as before when it returns.
    """
    sums, steps = _Sums(known, dim), list[Step]()
    last: dict[str, int] = {}
    frequency, means, known_posts = list[np.ndarray](), list[np.ndarray](), list[int]()
    seen, total = learnt.seen, learnt.dense_total
    try:
        for delta in deltas:
            entered = [i for i, n in enumerate(delta.vectors.tolist()) if n]
            if not entered:
                continue
            start, first_due = len(sums.posts), len(sums.due)
            lessens = bool(np.minimum.reduce(delta.feature_sums, initial=1) <= 0)
            for i in entered:
                sums.add(delta, i, lessens)
                last[delta.id[i]] = len(steps)
            frequency += [learnt.frequency(features) for features, _ in sums.features[start:]]
            means += [total / (GRID * max(seen, 1))] * len(entered)
            known_posts += [seen] * len(entered)
            at, due = slice(start, len(sums.posts)), slice(first_due, len(sums.due))
            lesson = lesson_of(delta)
            steps.append(Step(delta, entered, at, due, lesson))
            learnt.count(lesson)
            seen += lesson.vectors
            total = total + lesson.dense
            if at.stop >= MOST or seen >= MEMORY:  # from there on frequencies are others
                break
    finally:
        learnt.uncount([step.lesson for step in steps])
    dense, posts = np.array(sums.dense), np.array(sums.posts, np.int64)
    text, features, summed = joined(sums.features)
    rarity = inverse_frequency(np.concatenate(frequency), np.array(known_posts)[text])
    lexical = sketch(text, features, summed * rarity, len(posts))
    mean = dense / (GRID * np.maximum(posts, 1))[:, None] - np.array(means)
    vectors = on_grid(unit(mean), lexical, dense_weight)
    meant, said = vectors[:, :dim].copy(), vectors[:, dim:].copy()
    return Stretch(
        steps=steps,
        names=sums.names,
        features=sums.features,
        dense=dense,
        rows=Rows(meant, said, *measured(meant, said, posts), posts),
        due=np.array(sums.due, np.int64),
        last=last,
    )


def measured(
    meant: np.ndarray, said: np.ndarray, posts: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lengths of whole vectors and of their dense parts, and the spread of so many posts; float32.

    The mean of n unit vectors whose cosines are LIKENESS on average has the length
    sqrt(LIKENESS + (1 - LIKENESS) / n).
    """
    dense, lexical = _squares(meant), _squares(said)
    spread = np.sqrt(LIKENESS + (1.0 - LIKENESS) / np.maximum(posts, 1))
    return _length(dense + lexical), _length(dense), spread.astype(np.float32)


def _squares(x: np.ndarray) -> np.ndarray:
    """Squared lengths of whole-number rows, float64; exact."""
    return np.asarray(np.einsum("ij,ij->i", x, x), np.float64)


def _length(squares: np.ndarray) -> np.ndarray:
    """Lengths by their squares, 1 for zero rows; float32."""
    length = np.sqrt(squares)
    return np.where(length > 0, length, 1.0).astype(np.float32)
