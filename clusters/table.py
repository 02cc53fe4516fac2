"""Micro-clusters as arrays: one row each, in order of birth; the lowest row is the oldest."""

from __future__ import annotations

from typing import Any

import numpy as np

from clusters.parameters import FULL
from streams.grid import GRID
from streams.time import NEVER


class MicroTable:
    """Sums of the members' vectors on the integer grid, and what is needed to find and age them."""

    def __init__(self, width: int) -> None:
        self._width = width
        self.size = 0
        self.sums = np.zeros((0, width), np.float32)  # whole numbers
        self._inverse = np.zeros(0, np.float32)  # 1 / (members * GRID); 0: nothing may join
        self._members = np.zeros(0, np.int32)  # in the sum since its last halving
        self.last_at = np.zeros(0, np.int64)
        self.serial = np.zeros(0, np.int64)  # ascending
        self.ids: list[str] = []
        self._alive = np.zeros(0, np.bool_)
        self._row: dict[int, int] = {}
        self._next = 0
        self.moved = 0  # how often rows were moved together
        self._scores = np.zeros(0, np.float32)
        self._oldest = NEVER  # no active row's last post is older

    def _grow(self) -> None:
        capacity = max(64, 2 * len(self.sums))
        self.sums = _longer(self.sums, capacity)
        self._inverse = _longer(self._inverse, capacity)
        self._members = _longer(self._members, capacity)
        self.last_at = _longer(self.last_at, capacity)
        self.serial = _longer(self.serial, capacity)
        self._alive = _longer(self._alive, capacity)
        self._scores = np.zeros(capacity, np.float32)

    def products(self, x: np.ndarray) -> np.ndarray:
        """Products of posts (n, width) with all sums, room for n rows; float32 (n, size + n)."""
        out = np.empty((len(x), self.size + len(x)), np.float32)
        out[:, self.size :] = 0
        np.matmul(x, self.sums[: self.size].T, out=out[:, : self.size])
        return out

    def best(self, products: np.ndarray) -> tuple[int, float]:
        """The nearest row (lowest on ties), and a post's mean product with its members / GRID.

        Divided by the post's length that is the mean of its cosines with the members, whose own
        lengths are GRID but for rounding.
        """
        if not self.size:
            return -1, 0.0
        scores = self._scores[: self.size]
        np.multiply(products[: self.size], self._inverse[: self.size], out=scores)
        row = int(scores.argmax())
        return row, float(scores[row])

    def open(self, micro_id: str, at: int) -> int:
        """A new empty row whose first post has time `at` (ms); returns the row."""
        if self.size == len(self.sums):
            self._grow()
        row = self.size
        self.size += 1
        self.sums[row] = 0
        self._inverse[row] = 0
        self._members[row] = 0
        self.last_at[row] = at
        self._oldest = min(self._oldest, at)
        self._alive[row] = True
        self.serial[row] = self._next
        self._row[self._next] = row
        self._next += 1
        self.ids.append(micro_id)
        return row

    def add(self, row: int, x: np.ndarray) -> bool:
        """Add a post's vector; True if the sum was halved."""
        self.sums[row] += x
        members = int(self._members[row]) + 1
        halved = members == FULL
        if halved:
            self.sums[row] = np.floor(self.sums[row] / 2)
            members = FULL // 2
        self._members[row] = members
        self._inverse[row] = 1.0 / (members * GRID)
        return halved

    def touch(self, row: int, at: int) -> None:
        """A post of time `at` (ms) joined."""
        if at > self.last_at[row]:
            self.last_at[row] = at

    def members(self, row: int) -> int:
        """Posts in the sum, half of them forgotten whenever it is halved."""
        return int(self._members[row])

    def row_of(self, serial: int) -> int | None:
        """Where a micro-cluster lies now; None when it has aged out."""
        return self._row.get(serial)

    @property
    def active(self) -> int:
        return len(self._row)

    def expire(self, before: int) -> list[str]:
        """Let micro-clusters without a post since `before` (ms) go; their ids, oldest first."""
        if before <= self._oldest:
            return []
        last_at = self.last_at[: self.size]
        young = last_at >= before
        self._oldest = int(last_at[young].min(initial=2**62))  # gone rows are not young
        old = np.flatnonzero(self._alive[: self.size] & ~young)
        if not len(old):
            return []
        self._alive[old] = False
        self._inverse[old] = 0
        gone = []
        for row in old:
            del self._row[int(self.serial[row])]
            gone.append(self.ids[row])
        # Moving the rows together costs a copy of the table: not for every single one that goes.
        if self.size - self.active > max(64, self.size // 8):
            self._close_gaps()
        return gone

    def _close_gaps(self) -> None:
        self.moved += 1
        keep = np.flatnonzero(self._alive[: self.size])
        n = len(keep)
        for column in (
            self.sums,
            self._inverse,
            self._members,
            self._alive,
            self.last_at,
            self.serial,
        ):
            column[:n] = column[keep]
        self.ids = [self.ids[i] for i in keep]
        self.size = n
        self._row = {int(s): i for i, s in enumerate(self.serial[:n])}

    def state(self) -> dict[str, Any]:
        self._close_gaps()
        n = self.size
        return {
            "sums": self.sums[:n].astype(np.int16),  # |component| <= 62 * 512
            "members": self._members[:n],
            "last_at": self.last_at[:n],
            "serial": self.serial[:n],
            "ids": self.ids,
            "next": self._next,
        }

    def restore(self, state: dict[str, Any]) -> None:
        n = self.size = len(state["ids"])
        self.sums = state["sums"].reshape(n, self._width).astype(np.float32)
        self._members = state["members"].copy()
        self._alive = np.ones(n, np.bool_)
        self.last_at = state["last_at"].copy()
        self._oldest = NEVER
        self.serial = state["serial"].copy()
        self._inverse = (1.0 / (self._members * float(GRID))).astype(np.float32)
        self._scores = np.zeros(n, np.float32)
        self.ids = list(state["ids"])
        self._next = state["next"]
        self._row = {int(s): i for i, s in enumerate(self.serial)}


def _longer(column: np.ndarray, capacity: int) -> np.ndarray:
    out = np.zeros((capacity, *column.shape[1:]), column.dtype)
    out[: len(column)] = column
    return out
