"""The index agent: the only writer to the store. It acknowledges what the store has taken."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from agents.kafka.app import Road, Stage
from agents.kafka.dead import bury, unusable
from agents.kafka.documents import Document, batches, key_of, unpack
from agents.kafka.lane import Lane
from agents.kafka.producer import Sent, delivered
from agents.kafka.retention import Duty
from agents.kafka.searchable import Probe
from stores import Store, StoreUnavailable
from streams.codec import CodecError
from streams.documents import Batch

NAME = "index"
FIRST_WAIT_S = 0.25
LONGEST_WAIT_S = 5.0
SAY_EVERY_S = 30.0

PATIENCE_S = 2.0
"""How long one write is tried before the agent takes over the waiting: short, so that a stop is quick."""

T = TypeVar("T")
log = logging.getLogger(__name__)


class Written(NamedTuple):
    """What became of a batch."""

    stored: int
    older: int
    rejected: list[tuple[str, str]]  # document, reason
    retries: int


class IndexStage(Stage):
    def __init__(self, road: Road, store: Store) -> None:
        super().__init__(road, NAME, road.topics.alerts)
        self._store = store
        self._lane = Lane("store")
        self._prepared = False
        self._duty = Duty(road.settings)
        # A replay's posts are old: their own times say nothing of the road.
        live = road.settings.time.ticks == "wall"
        self._probe = Probe(store, road.metrics) if live else None

    async def take(self, event: Any) -> None:
        records = event.value
        letters: list[Sent] = []
        with self.road.metrics.timed(NAME):
            documents: list[Document] = []
            for record in records:
                if record.value is None:  # a tombstone: the document's end is the store's affair
                    continue
                try:
                    documents.append(unpack(record.value))
                except CodecError as error:
                    place = (record.topic, record.partition, record.offset)
                    key, letter = unusable(*place, "damaged", str(error))
                    log.error("%s is damaged: %s", key, error)
                    letters.append(await bury(self.road, NAME, key, letter))
            for batch in batches(documents, self.road.settings.worker.index_batch):
                written = await self._write(batch)
                if self._probe is not None:
                    self._probe.written(batch.posts)
                for name, reason in written.rejected:
                    last = records[-1]
                    place = (last.topic, last.partition, last.offset)
                    _, letter = unusable(*place, "refused", f"{name}: {reason}")
                    log.error("the store refused %s: %s", name, reason)
                    letters.append(await bury(self.road, NAME, f"{self.topic.name}/{name}", letter))
            await delivered(letters)
        self.road.metrics.records.labels(NAME).inc(len(records))
        age = time.time() - records[0].timestamp / 1000
        self.road.metrics.age_seconds.labels(NAME).observe(max(age, 0.0))
        await self.ack(event)
        if self._prepared and self._duty.due():
            await self._lane.run(self._duty.carry_out, self._store)

    async def _write(self, batch: Batch) -> Written:
        if not self._prepared:
            await self._insist(prepare, self._store)
            self._prepared = True
        written = await self._insist(write, self._store, batch)
        outcomes = self.road.metrics.documents
        outcomes.labels("stored").inc(written.stored)
        outcomes.labels("older").inc(written.older)
        outcomes.labels("refused").inc(len(written.rejected))
        self.road.metrics.bulk_retries.inc(written.retries)
        return written

    async def _insist(self, call: Callable[..., T], *arguments: Any) -> T:
        """Ask the store for as long as it takes; meanwhile nothing is acknowledged or read."""
        wait, said = FIRST_WAIT_S, 0.0
        while True:
            try:
                answer = await self._lane.run(call, *arguments)
            except StoreUnavailable as error:
                self.road.metrics.store_waits.inc()
                if not said or time.monotonic() - said > SAY_EVERY_S:
                    log.warning("the store takes no writes, trying on: %s", error)
                    said = time.monotonic()
                await asyncio.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT_S)
                continue
            if said:
                log.warning("the store takes writes again")
            return answer


def prepare(store: Store) -> None:
    """Index templates where they are missing or older; SQLite knows none."""
    ready = getattr(store, "ready", None)
    if ready is not None and not ready():
        for step in store.ensure_templates(copies=False):  # type: ignore[attr-defined]
            log.info("%s %s %s", step.action, step.what, step.name)


def write(store: Store, batch: Batch) -> Written:
    """One write; Elasticsearch hands refused documents back, SQLite knows none."""
    deliver = getattr(store, "deliver", None)
    if deliver is None:
        size = sum(len(getattr(batch, name)) for name in batch.__struct_fields__)
        stored = store.write(batch)
        return Written(stored, size - stored, [], 0)
    done = deliver(batch, PATIENCE_S)
    rejected = [(key_of(one.document), one.reason) for one in done.rejected]
    return Written(done.stored, done.older, rejected, done.retries)
