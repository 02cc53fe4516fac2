"""The embedded road: all stages in one process; log, checkpoints and store in one SQLite file.

What is read is first appended to the log, then folded. Results and the checkpoint become durable in
one transaction, so after kill -9 the road takes up the last checkpoint, folds the rest of the log
again, and nothing is counted twice. Documents may run ahead of the checkpoint: folding again writes
the same ones.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import NamedTuple, TypeVar

import msgspec

from agents.stages import Stages
from embeddings.door import Admitted, frame_of
from stores.sqlite import SqliteStore
from streams.codec import CodecError, pack_state, unpack_state
from streams.documents import Batch, RumorDocument
from streams.effects import Assigned, Effects, Merged, Raised
from streams.records import Dead, DoorPost
from streams.sqlite_database import Database
from streams.sqlite_log import SqliteLog
from streams.time import NEVER
from streams.validation import InputRecord, Invalid, Tick, Valid

POSTS = "posts"
CHECKPOINT = "checkpoint"

DOCUMENTS_S = 0.5
"""Seconds between two writes of documents, so that a console follows."""

CHECKPOINT_S = 1.0
"""Seconds between two checkpoints, at least ..."""

CHECKPOINT_SHARE = 0.03
"""... and so long that writing them takes at most this part of the time."""


T = TypeVar("T")


class Entry(msgspec.Struct, frozen=True):
    """What a source delivers: a record as it came in, or a tick."""

    record: InputRecord | None
    tick: int | None
    checked: Valid | Invalid | None = None  # the record's, where its reader had to know


class Logged(msgspec.Struct, frozen=True, array_like=True):
    """A record of the log. A post stands there as it left the door: masked, its author a pseudonym."""

    input: str  # where it came from
    post: DoorPost | None
    dead: Dead | None
    tick: int | None


class Results(msgspec.Struct, array_like=True):
    """What the folds said about one stretch of the log."""

    assigned: list[Assigned]
    merged: list[Merged]
    raised: list[Raised]
    closed: list[RumorDocument]
    dead: list[Dead]


Passed = Admitted | Dead | Tick

RESULTS = "results"

_encode = msgspec.msgpack.Encoder().encode
_logged = msgspec.msgpack.Decoder(Logged)
_results = msgspec.msgpack.Decoder(Results)


class Progress(NamedTuple):
    """Counts so far, by what the folds said."""

    posts_in: int = 0
    folded: int = 0
    duplicates: int = 0
    late: int = 0
    dead: int = 0
    suggest: int = 0
    confirm: int = 0
    only_suggest: int = 0  # alerts that have not gone on to `confirm`
    watermark: int = NEVER
    open_rumors: int = 0


class EmbeddedRoad:
    """Log, stages and store of one process. For one thread; others may read `progress`."""

    def __init__(self, database: Database, stages: Stages) -> None:
        self._door, self._cluster, self._alert = stages
        self.log = SqliteLog(database)
        self.store = SqliteStore(database)
        self._next = 0  # offset of the log that is folded next
        self._counts = [0, 0, 0, 0]  # by Outcome
        self._levels = {"suggest": 0, "confirm": 0}
        self._standing: dict[str, str] = {}  # alert -> its level now
        self._lock = threading.Lock()
        self._written = self._checkpointed = time.monotonic()
        self._cost = 0.0  # seconds of the last checkpoint
        self._batches: list[Batch] = []
        self._clear()
        self._restore()

    def _clear(self) -> None:
        self._results = Results([], [], [], [], [])

    def _restore(self) -> None:
        blob = self.store.get_blob(CHECKPOINT)
        if blob is None:
            return
        state = unpack_state(blob)
        self._cluster.restore(state["cluster"])
        self._alert.restore(state["alert"])
        self._next = state["next"]
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
            )

    @property
    def logged(self) -> int:
        """Records in the log: as many of the input need not be read again."""
        return self.log.end(POSTS)

    def catch_up(self, batch: int) -> None:
        """Fold what the log holds beyond the checkpoint."""
        while records := self.log.read(POSTS, self._next, batch):
            self._fold([self._again(_decoded(_logged, value)) for _, value in records])

    def _again(self, logged: Logged) -> Passed:
        if logged.post is not None:
            return self._door.again(logged.post)
        return logged.dead if logged.dead is not None else Tick(logged.tick or 0)

    def take(self, entries: list[Entry]) -> None:
        """Let in, append to the log, then fold."""
        passed: list[Passed] = []
        values: list[bytes] = []
        for entry in entries:
            if entry.record is None:
                passed.append(Tick(entry.tick or 0))
                values.append(_encode(Logged("", None, None, entry.tick)))
                continue
            result = self._door.admit(entry.record, entry.checked)
            passed.append(result)
            post, dead = (None, result) if isinstance(result, Dead) else (result.post, None)
            values.append(_encode(Logged(entry.record.input, post, dead, None)))
        self.log.append(POSTS, values)
        self._fold(passed)

    def _fold(self, passed: list[Passed]) -> None:
        numbered = list(enumerate(passed, start=self._next))
        embedded = frame_of(self._door, numbered, origin=POSTS, partition=0)
        for change in self._cluster.fold(embedded.frame):
            with self._lock:
                self._note(self._alert.apply(change))
        self._next += len(passed)
        self._results.dead += embedded.dead
        now = time.monotonic()
        if now - self._checkpointed >= max(CHECKPOINT_S, self._cost / CHECKPOINT_SHARE):
            self.checkpoint()
        elif now - self._written >= DOCUMENTS_S:
            self._write_documents()

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
        if effect.batch:
            self._batches.append(effect.batch)

    def _write_documents(self) -> None:
        self.store.write(newest(self._batches))
        self._batches = []
        self._written = time.monotonic()

    def checkpoint(self) -> None:
        """Make documents, results and a checkpoint durable, all or none."""
        started = time.monotonic()
        state = {
            "cluster": self._cluster.snapshot(),
            "alert": self._alert.snapshot(),
            "next": self._next,
            "counts": self._counts,
            "levels": self._levels,
            "standing": self._standing,
        }
        with self.store.transaction():
            self._write_documents()
            self.log.append(RESULTS, [_encode(self._results)])
            self.store.put_blob(CHECKPOINT, pack_state(state))
        self._clear()
        self._checkpointed = time.monotonic()
        self._cost = self._checkpointed - started

    def finish(self) -> list[RumorDocument]:
        """End of the stream: write all that is due; returns the rumors that are still open."""
        self._batches.append(self._alert.flush())
        self.checkpoint()
        return self._alert.open_documents()

    @property
    def inputs(self) -> Iterable[str]:
        """Where the posts that are not dead came from, in folded order."""
        at = 0
        while records := self.log.read(POSTS, at, 10_000):
            logged = (_decoded(_logged, value) for _, value in records)
            yield from (one.input for one in logged if one.post is not None)
            at = records[-1][0] + 1

    def results(self) -> Iterable[Results]:
        """What the folds said, in order."""
        at = 0
        while records := self.log.read(RESULTS, at, 64):
            yield from (_decoded(_results, value) for _, value in records)
            at = records[-1][0] + 1


def newest(batches: list[Batch]) -> Batch:
    """One batch with the newest version of each document."""
    return Batch(
        rumors=list({d.rumor_id: d for b in batches for d in b.rumors}.values()),
        alerts=list({d.alert_id: d for b in batches for d in b.alerts}.values()),
        posts=list({(d.source, d.post_id): d for b in batches for d in b.posts}.values()),
        trends=list(
            {(d.bucket, d.language, d.platform): d for b in batches for d in b.trends}.values()
        ),
    )


def _decoded(decoder: msgspec.msgpack.Decoder[T], value: bytes) -> T:
    try:
        return decoder.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise CodecError("a record of the log does not fit its form") from None
