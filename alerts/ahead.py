"""Vectors of the micro-clusters in the next changes, and what is near them, many at a time.

One micro-cluster's product with all others reads all of their vectors from memory; that of many reads
them once, and small arrays cost less together. How sums and frequencies will stand at each change
follows from the changes alone: the rows as they are now, but for those that grow on the way, whose
places take over from their step on. All are whole numbers below 2**24, so the result is that of one
change after another. Nothing here is part of the fold's state.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from alerts.features import Features
from alerts.learnt import Lesson
from alerts.likeness import Floors, Near, agreement, cosines, posts_apart, reached
from streams.records import MicroDelta

MOST = 96
"""Vectors taken at a time, about. With 48 a row of the products costs a third more, from some 150 on what is
made in vain outweighs it."""

COLUMNS = 4_096
"""Rows that are compared with those that are due at a time: their products take a few MB."""


class Step(NamedTuple):
    """A change whose vectors enter sums."""

    delta: MicroDelta
    entered: list[int]  # which of its micro-clusters
    at: slice  # their places in the stretch
    due: slice  # places of those that are due among all that are
    lesson: Lesson


class Rows(NamedTuple):
    """Micro-clusters as they stand, one a row; float32 where nothing else is said."""

    meant: np.ndarray  # (n, d)
    said: np.ndarray  # (n, LEXICAL)
    lengths: np.ndarray  # (n,) each, see `alerts.foreseeing.measured`
    dense_lengths: np.ndarray
    spread: np.ndarray
    posts: np.ndarray  # int64 (n,)


class Stretch(NamedTuple):
    """What the sums of n places are after each one's change, in the order of the log."""

    steps: Sequence[Step]
    names: list[str]  # of the places' micro-clusters
    features: list[Features]
    dense: np.ndarray  # int64 (n, d)
    rows: Rows
    due: np.ndarray  # int64 (k,): places of those that are due, ascending
    last: dict[str, int]  # micro-cluster -> the last step that it is in


class Ahead:
    """The stretch of changes that is being taken up."""

    def __init__(self) -> None:
        self.forget()
        self._coming: Sequence[MicroDelta] = ()

    def expect(self, deltas: Sequence[MicroDelta]) -> None:
        """What most likely comes next. Not a promise: whatever comes instead is taken as it is."""
        self._coming = deltas

    def coming(self, delta: MicroDelta) -> Sequence[MicroDelta]:
        """A delta and those expected after it."""
        for at, one in enumerate(self._coming):
            if one is delta:
                self._coming = self._coming[at:]
                return self._coming
        return (delta,)

    def forget(self) -> None:
        """Rows were moved or sums were changed: what was made for others is of no use."""
        self._stretch: Stretch | None = None
        self._next = 0

    def begin(
        self, stretch: Stretch, rows: Rows, row_of: Callable[[str], int | None], floors: Floors
    ) -> None:
        """Take a stretch, with all rows as they stand; `row_of` tells where a micro-cluster lies."""
        self._stretch, self._next = stretch, 0
        asked = len(stretch.due) and min(floors) > 0
        self._near = near(stretch, rows, row_of, floors) if asked else None
        self._first = len(rows.posts)
        # Where the columns lie: the rows, then the places, which get their rows as they enter.
        self._rows = np.arange(self._first + len(stretch.names))

    def step(self, delta: MicroDelta) -> tuple[Stretch, Step] | None:
        """The stretch and the step for a delta, if it is the one foreseen."""
        stretch = self._stretch
        if stretch is None or self._next == len(stretch.steps):
            return None
        step = stretch.steps[self._next]
        if step.delta is not delta:  # one without vectors, or a stretch begins anew
            return None
        self._next += 1
        return stretch, step

    def entered(self, step: Step, rows: list[int]) -> list[Near] | None:
        """The step's vectors stand in rows; what is near those that are due, None if that is all."""
        first = self._first + step.at.start
        self._rows[first : first + len(step.entered)] = rows
        if self._near is None:
            return None
        starts, found = self._near
        return [
            Near(self._rows[found.rows[span]], *(values[span] for values in found[1:]))
            for span in map(slice, starts[step.due], starts[step.due.start + 1 :])
        ]

    def dropped(self, micro_id: str) -> None:
        """A micro-cluster left the window; if it is to come again, it begins anew.

        It stays among what is near others: nobody takes a row that is gone.
        """
        if self._stretch is not None and self._stretch.last.get(micro_id, -1) >= self._next:
            self.forget()


def near(
    stretch: Stretch, rows: Rows, row_of: Callable[[str], int | None], floors: Floors
) -> tuple[list[int], Near]:
    """What is near each place that is due when its step is taken, one after another; rows are columns.

    Also where each one's begins, and the end. Columns are the rows, then the stretch's places.
    """
    size, due, own = len(rows.posts), stretch.due, stretch.rows
    asking, stand = _part(own, due), _Standing(stretch, row_of)
    parts = []
    for start in range(0, size, COLUMNS):
        some = _part(rows, slice(start, min(start + COLUMNS, size)))
        parts.append(_pairs(asking, some, floors, start, stand.among_rows))
    parts.append(_pairs(asking, own, floors, size, stand.among_places))
    one, other, both, meaning = map(np.concatenate, zip(*parts, strict=True))
    order = one.argsort(kind="stable")  # for each one columns ascend, as the parts do
    one, other, both, meaning = one[order], other[order], both[order], meaning[order]
    who = due[one]
    lengths = np.concatenate([rows.lengths, own.lengths])
    dense_lengths = np.concatenate([rows.dense_lengths, own.dense_lengths])
    spread = np.concatenate([rows.spread, own.spread])
    posts = np.concatenate([rows.posts, own.posts])
    similarity = cosines(both, own.lengths[who], lengths[other])
    apart = posts_apart(similarity, own.spread[who], spread[other])
    return one.searchsorted(np.arange(len(due) + 1)).tolist(), Near(
        other,
        similarity,
        agreement(apart, own.posts[who], posts[other]),
        cosines(meaning, own.dense_lengths[who], dense_lengths[other]),
    )


def _part(rows: Rows, at: slice | np.ndarray) -> Rows:
    return Rows(*(column[at] for column in rows))


def _pairs(
    asking: Rows, others: Rows, floors: Floors, first: int, stand: Callable[[np.ndarray, int], None]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Pairs that reach a floor and `stand`: number of the one that asks, column, products in both parts
    and in meaning. The others' columns begin with the `first`."""
    meaning = asking.meant @ others.meant.T
    both = asking.said @ others.said.T
    both += meaning
    found = reached(both, asking.lengths, others.lengths, floors.both)
    found |= reached(meaning, asking.dense_lengths, others.dense_lengths, floors.meaning)
    stand(found, first)
    one, other = found.nonzero()
    return one, other + first, both[one, other], meaning[one, other]


class _Standing:
    """Which columns stand at the step of each place that is due; a place itself does not."""

    def __init__(self, stretch: Stretch, row_of: Callable[[str], int | None]) -> None:
        steps = np.repeat(np.arange(len(stretch.steps)), [len(s.entered) for s in stretch.steps])
        until = np.full(len(steps), len(stretch.steps))  # the step that replaces a place
        later: dict[str, int] = {}
        for place, step in zip(range(len(steps))[::-1], steps[::-1].tolist(), strict=True):
            name = stretch.names[place]
            until[place] = later.get(name, until[place])
            later[name] = step
        self._steps, self._until, self._due = steps, until, stretch.due
        self._now = steps[stretch.due][:, None]
        # Rows that a step replaces, ascending, and the first step that does.
        replaced = [(row, at) for name, at in later.items() if (row := row_of(name)) is not None]
        self._old, self._since = np.array(sorted(replaced), np.int64).reshape(-1, 2).T

    def among_rows(self, found: np.ndarray, first: int) -> None:
        """Take out, for each place that is due, rows that were replaced by its step."""
        start, end = self._old.searchsorted([first, first + found.shape[1]])
        found[:, self._old[start:end] - first] &= self._now < self._since[start:end]

    def among_places(self, found: np.ndarray, first: int) -> None:
        """Take out, for each one that is due, places that do not stand at its step, and its own."""
        found &= (self._steps <= self._now) & (self._now < self._until)
        found[np.arange(len(found)), self._due] = False
