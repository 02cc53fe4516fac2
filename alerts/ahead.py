"""Vectors of the micro-clusters in the next changes, and their products with all, many at a time.

One micro-cluster's product with all others reads all of their vectors from memory; that of many reads
them once, and small arrays cost less together. How sums and frequencies will stand at each change
follows from the changes alone. A micro-cluster that grows on the way changes one column of the
products of those after it. All are whole numbers below 2**24, so the result is that of one change
after another. Nothing here is part of the fold's state.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from alerts.features import Features
from streams.records import MicroDelta

MOST = 48
"""Vectors taken at a time, about."""


class Step(NamedTuple):
    """A change whose vectors enter sums."""

    delta: MicroDelta
    entered: np.ndarray  # which of its micro-clusters, int64
    at: slice  # their places in the stretch
    due: slice  # places of those that are due among all that are


class Stretch(NamedTuple):
    """What the sums of n places are after each one's change, in the order of the log."""

    steps: Sequence[Step]
    features: list[Features]
    dense: np.ndarray  # int64 (n, d)
    posts: np.ndarray  # int64 (n,)
    meant: np.ndarray  # float32 (n, d)
    said: np.ndarray  # float32 (n, LEXICAL)
    lengths: np.ndarray  # float32 (n,) each, see `alerts.foreseeing.measured`
    dense_lengths: np.ndarray
    spread: np.ndarray
    due: np.ndarray  # int64 (k,): places of those that are due
    last: dict[str, int]  # micro-cluster -> the last step that it is in
    room: int  # micro-clusters that may get a row on the way


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

    def begin(self, stretch: Stretch, meant: np.ndarray, said: np.ndarray) -> None:
        """Take a stretch, with the vectors of all rows as they stand."""
        self._stretch, self._next = stretch, 0
        asked, size = stretch.due, len(meant)
        self._meaning = np.zeros((len(asked), size + stretch.room), np.float32)
        self._both = np.zeros((len(asked), size + stretch.room), np.float32)
        if not len(asked):
            return
        own_meant, own_said = stretch.meant[asked], stretch.said[asked]
        np.matmul(own_meant, meant.T, out=self._meaning[:, :size])
        np.matmul(own_said, said.T, out=self._both[:, :size])
        self._both[:, :size] += self._meaning[:, :size]
        self._among_meaning = own_meant @ stretch.meant.T
        self._among_both = own_said @ stretch.said.T + self._among_meaning

    def step(self, delta: MicroDelta, size: int) -> tuple[Stretch, Step] | None:
        """The stretch and the step for a delta, if it is the one foreseen; `size`: rows there are."""
        stretch = self._stretch
        if stretch is None or self._next == len(stretch.steps):
            return None
        step = stretch.steps[self._next]
        if step.delta is not delta or size > self._both.shape[1]:
            self.forget()
            return None
        self._next += 1
        return stretch, step

    def entered(self, step: Step, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The step's vectors stand in rows; products of those due with all, of meaning and of both."""
        first, due = step.due.start, step.due
        if first < len(self._both):
            self._meaning[first:, rows] = self._among_meaning[first:, step.at]
            self._both[first:, rows] = self._among_both[first:, step.at]
        return self._meaning[due], self._both[due]

    def dropped(self, micro_id: str) -> None:
        """A micro-cluster left the window; if it is to come again, it begins anew.

        Its columns stay: nobody asks for products with a row that is gone.
        """
        if self._stretch is not None and self._stretch.last.get(micro_id, -1) >= self._next:
            self.forget()
