"""Writing into the store for as long as it takes: waits while it is away, tells when it is back."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from agents.kafka.documents import Document
from agents.kafka.lane import Lane
from agents.kafka.metrics import Metrics
from stores import Store, StoreUnavailable
from streams.documents import Batch

FIRST_WAIT_S = 0.25
LONGEST_WAIT_S = 5.0
SAY_EVERY_S = 30.0

PATIENCE_S = 2.0
"""How long one write is tried before the agent takes over the waiting: short, so that a stop is quick."""

CURRENT_S = 2.0
"""Age of a record from which on the stage has caught up after an outage."""

T = TypeVar("T")
log = logging.getLogger(__name__)


class Outage:
    """Says that the store is away, that it is back, and when the stage has caught up."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._since = 0.0  # monotonic; 0: not away
        self._back = 0.0  # since when it takes writes again; 0: nothing to catch up
        self._said = -SAY_EVERY_S
        self._told = False  # that it is away now

    def away(self, error: StoreUnavailable) -> None:
        self._metrics.store_waits.inc()
        now = time.monotonic()
        self._since = self._since or now
        self._back = 0.0
        if now - self._said > SAY_EVERY_S:
            log.warning("the store takes no writes, trying on: %s", error)
            self._said, self._told = now, True

    def over(self) -> None:
        """The store took a write."""
        if not self._since:
            return
        self._back = time.monotonic()
        if self._told:
            log.warning("the store takes writes again, after %.0f s", self._back - self._since)
        self._since, self._told = 0.0, False

    def reached(self, written_at: float) -> None:
        """A record that was written then (Unix time, s) is in the store."""
        if self._back and time.time() - written_at < CURRENT_S:
            log.info("caught up %.1f s after the store came back", time.monotonic() - self._back)
            self._back = 0.0


class Written(NamedTuple):
    """What became of a batch."""

    stored: int
    older: int
    rejected: list[tuple[Document, str]]  # document, reason
    retries: int


class Writer:
    """Writes batches one after the other, in a thread of its own."""

    def __init__(self, name: str, store: Store, metrics: Metrics, outage: Outage) -> None:
        self._store = store
        self._metrics = metrics
        self._outage = outage
        self._lane = Lane(f"store-{name}")

    async def write(self, batch: Batch) -> list[tuple[Document, str]]:
        """Until all is decided; returns the documents that the store will never take, with the reason."""
        written = await self.insist(write, self._store, batch)
        outcomes = self._metrics.documents
        outcomes.labels("stored").inc(written.stored)
        outcomes.labels("older").inc(written.older)
        outcomes.labels("refused").inc(len(written.rejected))
        self._metrics.bulk_retries.inc(written.retries)
        return written.rejected

    async def run(self, call: Callable[..., T], *arguments: Any) -> T:
        """Something else that the store is asked to do."""
        return await self._lane.run(call, *arguments)

    async def insist(self, call: Callable[..., T], *arguments: Any) -> T:
        """Ask the store for as long as it takes; meanwhile nothing is acknowledged."""
        wait = FIRST_WAIT_S
        while True:
            try:
                answer = await self._lane.run(call, *arguments)
            except StoreUnavailable as error:
                self._outage.away(error)
                await asyncio.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT_S)
                continue
            self._outage.over()
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
    rejected = [(one.document, one.reason) for one in done.rejected]
    return Written(done.stored, done.older, rejected, done.retries)
