"""The embedded road: all stages in one process; log, checkpoints and store in one SQLite file.

What is read is first appended to the log, then folded. After kill -9 the road takes up the last
checkpoint and folds the rest of the log again. Documents and results are written twice a second, so that
none wait for a checkpoint in memory, and so run ahead of it: folding again writes the same
documents, and results beyond the checkpoint are dropped first, so that nothing is counted twice.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

import msgspec

from agents import checkpoint, inbox
from agents.decoding import decoded
from agents.front import POSTS, Front, Portion, origin_of_post
from agents.memory import give_back
from agents.orders import Orders, order_of
from agents.told import Progress, Results
from alerts import AlertFold
from stores.sqlite import SqliteStore
from streams.documents import Batch, RumorDocument, newest
from streams.effects import Effects
from streams.sqlite_database import Database
from streams.sqlite_log import SqliteLog

WRITTEN_S = 0.5
"""Seconds between two writes of documents and results, so that a console follows."""

CHECKPOINT_S = 30.0
"""Seconds between two checkpoints, at least: work that is done again after a kill. A shorter stream has
its last one alone: two would be more than the share below ..."""

CHECKPOINT_SHARE = 0.03
"""... and so seldom that making them takes at most this part of the time, in all."""

GROWTH = 2.0
"""How much more than the last one the next checkpoint may cost, with the state that grew since."""

RESULTS = "results"

_encode = msgspec.msgpack.Encoder().encode
_results = msgspec.msgpack.Decoder(Results)


class EmbeddedRoad:
    """Log, alert fold and store of one process, behind its front.

    For one thread; others may read `progress`.
    """

    def __init__(self, database: Database, alert: AlertFold) -> None:
        self._alert = alert
        self.log = SqliteLog(database)
        self.store = SqliteStore(database)
        self.next = 0  # offset of the log that is folded next
        self._cluster: bytes | None = None  # the cluster fold's snapshot for the next checkpoint
        self._decided = 0  # place of the decision that is folded next
        self.orders = Orders(self.log)
        self._counts = [0, 0, 0, 0]  # by Outcome
        self._levels = {"suggest": 0, "confirm": 0}
        self._standing: dict[str, str] = {}  # alert -> its level now
        self._lock = threading.Lock()
        self._started = self._written = self._checkpointed = time.monotonic()
        self._snapshot_s = 0.0  # seconds that the front needed for that
        # Seconds by the clock of the last checkpoint and of all, the front's part included. Documents and
        # results are not: they are written as often without it.
        self._cost = self.checkpoints_s = 0.0
        self._batches: list[Batch] = []
        self._clear()
        self._restore()

    def _clear(self) -> None:
        self._results = Results([], [], [], [], [], [])

    def _restore(self) -> None:
        state = checkpoint.stands(self.store)
        if state is None:
            self.log.truncate_after(RESULTS, 0)
            return
        if "results" in state:  # older checkpoints were written together with theirs
            self.log.truncate_after(RESULTS, state["results"])
        self._alert.restore(state["alert"])
        self.next = state["next"]
        self._decided = state["decided"]
        if "orders" in state:  # older checkpoints know none
            self.orders.restore(state["orders"])
        self._counts = list(state["counts"])
        self._levels = dict(state["levels"])
        self._standing = dict(state["standing"])

    @property
    def progress(self) -> Progress:
        with self._lock:
            folded, duplicates, late, dead = self._counts
            return Progress(
                posts_in=sum(self._counts),
                folded=folded,
                duplicates=duplicates,
                late=late,
                dead=dead,
                suggest=self._levels["suggest"],
                confirm=self._levels["confirm"],
                only_suggest=sum(level == "suggest" for level in self._standing.values()),
                watermark=self._alert.watermark,
                open_rumors=self._alert.open_rumors,
                micro_clusters=self._alert.micro_clusters,
            )

    @property
    def cluster(self) -> bytes | None:
        """The cluster fold's snapshot at `next`, or at the last checkpoint. Raises CodecError."""
        return self._cluster if self._cluster is not None else checkpoint.cluster_in(self.store)

    @property
    def logged(self) -> int:
        """Records in the log: as many of the input need not be read again."""
        return self.log.end(POSTS)

    @property
    def checkpoint_due(self) -> bool:
        """Whether the next portion should bring the cluster fold's snapshot."""
        now = time.monotonic()
        if now - self._checkpointed < max(CHECKPOINT_S, self._cost / CHECKPOINT_SHARE):
            return False
        spent = self.checkpoints_s + 2 * GROWTH * self._cost  # this one, and the last one of all
        return spent <= CHECKPOINT_SHARE * (now - self._started)

    def catch_up(self, at_need: Callable[[], Front], batch: int) -> None:
        """Fold what the logs hold beyond the checkpoint; `at_need` gives the front for it."""
        if self.next == self.logged and self.orders.next() is None:
            self._fold_decisions(0)
            return
        front = at_need()
        self._bring(front)
        ahead = self._fold_between(front, batch)
        while records := self.log.read(POSTS, self.next, ahead):
            self.take(front.again([value for _, value in records]))
            ahead = self._fold_between(front, batch)
        self.take(front.snapshot())

    def _bring(self, front: Front) -> None:
        """Bring a front to where this road stands."""
        if (cluster := self.cluster) is not None:
            front.restore(cluster, self.next)

    def _fold_between(self, front: Front, most: int) -> int:
        """Fold orders and decisions of the log that stand before its next entry; how many entries come
        before more of them."""
        while (found := self.orders.next()) is not None:
            placed, order = found
            if placed.before > self.next:
                return min(self._fold_decisions(most), placed.before - self.next)
            self._fold_decisions(0, upto=placed.decided)
            self._fold_changes(front.obey([order]))
            self.orders.done([order])
        return self._fold_decisions(most)

    def decide(self) -> None:
        """Take up what waits in the inbox: its place is before the entry that the log gets next."""
        if inbox.admit(self.log, self.next):
            self._fold_decisions(0)

    def _fold_decisions(self, most: int, *, upto: int | None = None) -> int:
        """Fold what was decided before the next entry; how many entries come before more of it.

        `upto`: no more decisions than these.
        """
        while upto is None or self._decided < upto:
            found = inbox.admitted(self.log, self._decided)
            if found is None:
                break
            if found.before > self.next:
                return min(most, found.before - self.next)
            with self._lock:
                effects = self._alert.take(found.record)
                self._note(effects)
            self._decided += 1
            self.orders.give(order_of(found.record, effects.moved))
        return most

    def take(self, portion: Portion) -> None:
        """Append a portion to the log, then fold it; with a snapshot, make a checkpoint."""
        with self.store.transaction():
            if portion.orders:
                self.orders.keep(portion.orders, before=self.next, decided=self._decided)
            if portion.values:
                self.log.append(POSTS, portion.values)
        self.orders.done(portion.orders)
        self._fold_changes(portion)
        self.next += portion.entries
        self._results.dead += portion.dead
        if portion.cluster is not None:
            self._cluster, self._snapshot_s = portion.cluster, portion.snapshot_s
            portion.cluster = None
            if portion.entries:
                self.checkpoint()
        elif time.monotonic() - self._written >= WRITTEN_S:
            self._write()

    def _fold_changes(self, portion: Portion) -> None:
        self._alert.expect(portion.changes)
        for change in portion.changes:
            with self._lock:  # documents wait for `_write`: most are replaced before it
                self._note(self._alert.apply(change, more=True))

    def _note(self, effect: Effects) -> None:
        for assigned in effect.assigned:
            self._counts[assigned.outcome] += 1
        self._counts[3] += effect.dead
        for raised in effect.raised:
            self._levels[raised.level] += 1
            self._standing[raised.alert_id] = raised.level
        results = self._results
        results.assigned += effect.assigned
        results.merged += effect.merged
        results.raised += effect.raised
        results.closed += effect.closed
        results.moved += effect.moved
        if effect.batch:
            self._batches.append(effect.batch)

    def _write(self) -> None:
        self._batches.append(self._alert.owed())
        with self.store.transaction():
            self.store.write(newest(self._batches))
            self.log.append(RESULTS, [_encode(self._results)])
        self._batches = []
        self._clear()
        self._written = time.monotonic()

    def checkpoint(self) -> None:
        """Make documents, results and a checkpoint at `next` durable, all or none."""
        with self.store.transaction():
            self._write()
            started = time.monotonic()
            head = {
                "next": self.next,
                "results": self.log.end(RESULTS),
                "decided": self._decided,
                "orders": self.orders.state(),
                "counts": self._counts,
                "levels": self._levels,
                "standing": self._standing,
            }
            if self._cluster is not None:
                checkpoint.put_cluster(self.store, self._cluster)
                self._cluster = None
            checkpoint.put(self.store, head, self._alert.snapshot())
        self._checkpointed = time.monotonic()
        self._cost = self._checkpointed - started + self._snapshot_s
        self.checkpoints_s += self._cost
        self._snapshot_s = 0.0
        give_back()

    def finish(self, at_need: Callable[[], Front]) -> list[RumorDocument]:
        """End of the stream: write all that is due; returns the rumors that are still open.

        `at_need` gives the front that carries out what was ordered too late for the one that fed the stream.
        """
        self.decide()
        if self.orders.waiting:
            front = at_need()
            self._bring(front)
            self.take(front.obey(list(self.orders.waiting.values()), snapshot=True))
        self._batches.append(self._alert.flush())
        self.checkpoint()
        return self._alert.open_documents()

    @property
    def inputs(self) -> Iterable[str]:
        """Where the posts that are not dead came from, in folded order."""
        at = 0
        while records := self.log.read(POSTS, at, 10_000):
            origins = (origin_of_post(value) for _, value in records)
            yield from (origin for origin in origins if origin is not None)
            at = records[-1][0] + 1

    def results(self) -> Iterable[Results]:
        """What the folds said, in order."""
        at = 0
        while records := self.log.read(RESULTS, at, 8):
            yield from (decoded(_results, value) for _, value in records)
            at = records[-1][0] + 1
