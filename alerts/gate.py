"""How many new alerts a desk gets in an hour, which rumors wait for a place, which an alert covers."""

from __future__ import annotations

from typing import Any

from alerts.parameters import HOUR


class Gate:
    """Alerts raised lately, rumors that reached a level when the hour was full, and covered ones.

    Rumors by their numbers.
    """

    def __init__(self) -> None:
        self._times: list[int] = []  # ms, of alerts raised in the last hour, ascending
        self._young: dict[int, int] = {}  # number of a rumor -> when its alert was raised, ms
        self._waiting: dict[int, int] = {}  # number -> since when it waits, ms
        self._root: dict[int, int] = {}  # number -> that of the rumor whose alert covers it

    def room(self, now: int, per_hour: int) -> int:
        """New alerts that may still be raised at `now` (ms): `per_hour` in any hour."""
        self._times = [at for at in self._times if at > now - HOUR]
        return max(per_hour - len(self._times), 0)

    def raised(self, number: int, now: int, *, placed: bool = True) -> int:
        """A rumor's alert was raised; how long it had waited, ms. `placed`: it takes one in the hour."""
        if placed:
            self._times.append(now)
        self._young[number] = now
        return now - self._waiting.pop(number, now)

    def young(self, since: int) -> list[int]:
        """Numbers of rumors whose alert was raised at `since` (ms) or later, oldest rumor first."""
        self._young = {number: at for number, at in self._young.items() if at >= since}
        return sorted(self._young)

    @property
    def waiting(self) -> list[int]:
        """Numbers of the rumors that wait, oldest rumor first."""
        return sorted(self._waiting)

    def since(self, number: int) -> int | None:
        """Since when a rumor waits, ms; None when it does not."""
        return self._waiting.get(number)

    def wait(self, number: int, now: int) -> None:
        self._waiting.setdefault(number, now)

    def leave(self, number: int) -> bool:
        """A rumor waits no longer; whether it did."""
        return self._waiting.pop(number, None) is not None

    def cover(self, root: int, number: int) -> None:
        """From here on the root's alert covers a rumor, which waits no longer."""
        self._root[number] = root
        self._waiting.pop(number, None)

    def uncover(self, number: int) -> int | None:
        """A rumor stands for itself again; the one whose alert covered it, if there was one."""
        return self._root.pop(number, None)

    def root(self, number: int) -> int | None:
        """The rumor whose alert covers this one; None for none."""
        return self._root.get(number)

    def covered(self, root: int) -> list[int]:
        """The rumors that a rumor's alert covers, in the order in which they came below it."""
        return [number for number, above in self._root.items() if above == root]

    def merged(self, heir: int, loser: int, alerted: bool) -> set[int]:
        """The loser's place goes to its heir; `alerted`: the heir has an alert by now.

        Returns the rumors of which something else is true now.
        """
        changed = {self._root.pop(loser, heir), *self.covered(loser), heir}
        for number in self.covered(loser):
            self._root[number] = heir
        if alerted or self._root.get(heir) == heir:
            changed.add(self._root.pop(heir, heir))
        if (at := self._young.pop(loser, None)) is not None:
            self._young[heir] = min(at, self._young.get(heir, at))
        if (since := self._waiting.pop(loser, None)) is not None:
            self._waiting[heir] = min(since, self._waiting.get(heir, since))
        if alerted:
            self._waiting.pop(heir, None)
        return changed - {loser}

    def ended(self, number: int) -> set[int]:
        """A rumor left the window: those that it covered stand for themselves again.

        Returns the rumors of which something else is true now.
        """
        self._young.pop(number, None)
        self._waiting.pop(number, None)
        changed = set(self.covered(number))
        for below in changed:
            del self._root[below]
        above = self._root.pop(number, None)
        return changed if above is None else {*changed, above}

    def state(self) -> dict[str, Any]:
        return {
            "times": self._times,
            "young": sorted(self._young.items()),
            "waiting": sorted(self._waiting.items()),
            "roots": list(self._root.items()),
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._times = list(state["times"])
        self._young, self._waiting = dict(state["young"]), dict(state["waiting"])
        self._root = dict(state["roots"])
