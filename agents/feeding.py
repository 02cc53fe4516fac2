"""What feeds a replay: files read in order, with ticks, in portions, at their pace."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

import msgspec

from agents.front import Entry, Front, Portion
from agents.orders import Order
from clusters import ClusterFold
from embeddings.door import Door
from streams.sources.files import Reading, read_files
from streams.sources.ordering import Checked
from streams.time import EventTicks
from streams.validation import IntakeRules, Valid

FIRST_CHUNK = 250
"""Entries in the first portion of a feed, at most."""


class Feed(msgspec.Struct, frozen=True, kw_only=True):
    """Which files, how to read them and how fast to go."""

    paths: list[str]
    as_is: bool
    assume_rate: float | None
    speed: float | None  # times real time; None: as fast as it goes
    ahead_ms: int  # event time at the start that is not waited for
    tick_ms: int  # between two ticks, of event time
    chunk: int  # entries in a portion, at most

    def read(self, rules: IntakeRules) -> Reading:
        """Open the files. Raises FileError."""
        return read_files(self.paths, as_is=self.as_is, assume_rate=self.assume_rate, rules=rules)

    def chunks(self, entries: Iterable[Entry]) -> Iterator[list[Entry]]:
        """Entries in portions; with a speed, each portion when its time has come.

        The first portions are small and each twice the last: whoever takes them up begins at once.
        """
        pace = _Pace(self.speed, self.ahead_ms) if self.speed else None
        chunk: list[Entry] = []
        size = min(FIRST_CHUNK, self.chunk)
        for entry in entries:
            if chunk and (len(chunk) == size or (pace is not None and pace.must_wait(entry))):
                yield chunk
                chunk, size = [], min(2 * size, self.chunk)
            if pace is not None:
                pace.wait(entry)
            chunk.append(entry)
        if chunk:
            yield chunk


class Feeding:
    """A feed that runs through the front of this process."""

    def __init__(self, feed: Feed, door: Door, cluster: ClusterFold) -> None:
        """Opens the files. Raises FileError."""
        self._feed = feed
        self._front = Front(door, cluster)
        self._reading = feed.read(door.rules)

    def total(self) -> int | None:
        """How many records there are; None while they arrive unsorted."""
        return self._reading.total

    def portions(
        self, *, skip: int, cluster: bytes | None, at: int, snapshot: Callable[[], bool],
        orders: Callable[[], list[Order]],
    ) -> Iterator[Portion]:  # fmt: skip
        """All but the first `skip` entries, from a cluster fold's snapshot (and its offset) on.

        A portion brings a new snapshot when `snapshot` asks for one, and carries out what `orders`
        gives. The last portion has no entry
        and always brings one. Raises FileError for what cannot be read.
        """
        if cluster is not None:
            self._front.restore(cluster, at)
        entries = with_ticks(self._reading.checked(), self._feed.tick_ms)
        for chunk in self._feed.chunks(_without(entries, skip)):
            given = orders()
            yield self._front.take(chunk, snapshot=snapshot(), orders=given)
        yield self._front.snapshot()


def with_ticks(records: Iterable[Checked], period_ms: int) -> Iterator[Entry]:
    """Records with the ticks that their own times call for, and the last one at the end."""
    ticks = EventTicks(period_ms)
    for record, checked in records:
        if isinstance(checked, Valid):
            for at in ticks.before(checked.post.created_at):
                yield Entry(None, at)
        yield Entry(record, None, checked)
    for at in ticks.last():
        yield Entry(None, at)


def _without(entries: Iterable[Entry], done: int) -> Iterator[Entry]:
    for number, entry in enumerate(entries):
        if number >= done:
            yield entry


class _Pace:
    """Event time against wall time, `speed` times as fast."""

    def __init__(self, speed: float, ahead_ms: int) -> None:
        self._speed = speed
        self._ahead = ahead_ms
        self._origin: tuple[int, float] | None = None

    def _due(self, entry: Entry) -> float:
        """Seconds until an entry is due; ticks wait for the post behind them."""
        if not isinstance(entry.checked, Valid):
            return 0.0
        at = entry.checked.post.created_at
        if self._origin is None:
            self._origin = (at + self._ahead, time.monotonic())
        first, started = self._origin
        return started + (at - first) / 1000.0 / self._speed - time.monotonic()

    def must_wait(self, entry: Entry) -> bool:
        return self._due(entry) > 0.05

    def wait(self, entry: Entry) -> None:
        due = self._due(entry)
        if due > 0.05:
            time.sleep(due)
