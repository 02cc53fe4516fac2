"""What analysts decided of rumors: which are one and which are not.

A rumor grows by the mean likeness over all its micro-clusters. One of two halves that are alike to an
analyst only would take up nothing more by that measure: what comes next would open a rumor of its own.
So the parts of a rumor that an analyst made of several are still compared each for itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from alerts.micros import Micros


class Parts:
    """Labels of micro-clusters: the number of the rumor that their part was before it was merged.

    Only what an analyst merged has labels; everything else is one part, labelled with its own number.
    """

    def __init__(self) -> None:
        self._label: dict[
            str, int
        ] = {}  # micro-cluster -> label, where it is not the rumor's number
        self._rumor: dict[int, int] = {}  # label -> number of the rumor that it belongs to now

    def labels(self, micros: Micros) -> np.ndarray:
        """The label of each row, -1 for rows that are gone; a copy."""
        of = micros.rumors_of()
        for name, label in self._label.items():
            if (row := micros.row(name)) is not None:
                of[row] = label
        return of

    def rumor(self, label: int) -> int:
        """The number of the rumor that a label belongs to."""
        return self._rumor.get(label, label)

    def keep_apart(self, micros: Micros, heir: int, loser: int) -> None:
        """An analyst merges rumors: both stay parts. Call it before the rows change hands."""
        for row in micros.of_rumor(loser).tolist():
            self._label.setdefault(micros.ids[row], loser)
        self._move(heir, loser)

    def fuse(self, micros: Micros, a: int, b: int, heir: int, loser: int) -> None:
        """Two labels become the lower one, in rumors that may be one already (heir = loser).

        Call it before the rows change hands.
        """
        if not self._label:
            return
        for number in {heir, loser}:
            for row in micros.of_rumor(number).tolist():
                name = micros.ids[row]
                label = self._label.pop(name, number)
                label = min(a, b) if label == max(a, b) else label
                if label != heir:
                    self._label[name] = label
        self._move(heir, loser)

    def _move(self, heir: int, loser: int) -> None:
        if heir != loser:
            self._rumor = {x: heir if of == loser else of for x, of in self._rumor.items()}
            self._rumor[loser] = heir
        self._tidy()

    def forget(self, names: list[str]) -> bool:
        """Micro-clusters left the window, or their rumor; whether one had a label."""
        if not self._label:
            return False
        found = [self._label.pop(name, None) for name in names]
        self._tidy()
        return any(label is not None for label in found)

    def _tidy(self) -> None:
        used = set(self._label.values())
        self._rumor = {label: of for label, of in self._rumor.items() if label in used}

    def state(self) -> dict[str, Any]:
        return {
            "labels": [[n, self._label[n]] for n in sorted(self._label)],
            "rumors": [[n, self._rumor[n]] for n in sorted(self._rumor)],
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._label = dict(state["labels"])
        self._rumor = dict(state["rumors"])


class Bars:
    """Pairs of rumors that an analyst parted, and who did; no likeness joins them again."""

    def __init__(self) -> None:
        self._pairs: dict[tuple[int, int], str] = {}  # numbers, the lower first -> analyst

    def add(self, a: int, b: int, who: str) -> None:
        self._pairs[min(a, b), max(a, b)] = who

    def between(self, a: int, b: int) -> bool:
        return bool(self._pairs) and (min(a, b), max(a, b)) in self._pairs

    def lift(self, a: int, b: int) -> str | None:
        """Take a bar away; who had set it, None when there was none."""
        return self._pairs.pop((min(a, b), max(a, b)), None)

    def inherit(self, heir: int, other: int) -> None:
        """What holds for a rumor holds for the other one too."""
        for (a, b), who in list(self._pairs.items()):
            if heir in (a, b):
                third = b if a == heir else a
                if third != other:
                    self.add(other, third, who)

    def move(self, heir: int, loser: int) -> None:
        """A rumor was merged into another one: its bars are the heir's."""
        if self._pairs:
            self.inherit(loser, heir)
            self.forget(loser)

    def forget(self, number: int) -> None:
        """A rumor is no more."""
        if self._pairs:
            self._pairs = {pair: who for pair, who in self._pairs.items() if number not in pair}

    def state(self) -> list[Any]:
        return [[*pair, self._pairs[pair]] for pair in sorted(self._pairs)]

    def restore(self, state: list[Any]) -> None:
        self._pairs = {(a, b): who for a, b, who in state}
