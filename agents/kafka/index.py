"""The index agent: the only writer to the store. It acknowledges what the store has taken.

Posts go first, in requests of their own: rumors, alerts and counts are written beside them, and while
one such request is under way the next fills, with the newest version of each document.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from agents.kafka.app import Delivery, Road, Stage
from agents.kafka.dead import DAMAGED, bury, refused, unusable
from agents.kafka.documents import Document, batches, key_of, unpack
from agents.kafka.later import Later
from agents.kafka.producer import Sent, delivered
from agents.kafka.retention import Duty
from agents.kafka.searchable import Probe
from agents.kafka.writer import Outage, Writer, prepare
from stores import Store
from streams.codec import CodecError
from streams.documents import PostDocument

NAME = "index"

LATER_S = 0.5
"""From one write of what may wait to the next: a new alert stays far below 2 s, and rumors that change
with every post are written less often."""

RELEASE_S = 1.5
"""How long a release waits for what is under way; what it does not wait for comes again."""

log = logging.getLogger(__name__)


class IndexStage(Stage):
    def __init__(self, road: Road, store: Store) -> None:
        super().__init__(road, NAME, road.topics.alerts)
        self._store = store
        outage = Outage(road.metrics)
        self._posts = Writer("posts", store, road.metrics, outage)
        self._others = Writer("documents", store, road.metrics, outage)
        self._outage = outage
        self._later = Later()
        self._hurry = asyncio.Event()
        self._prepared = False
        self._duty = Duty(road.settings)
        # A replay's posts are old: their own times say nothing of the road.
        live = road.settings.time.ticks == "wall"
        self._probe = Probe(store, road.metrics) if live else None

    async def start(self) -> None:
        await super().start()
        self.background(self._write_later)

    async def take(self, event: Delivery) -> None:
        records = event.value
        with self.road.metrics.timed(NAME):
            documents = await self._read(records)
            posts = [one for one in documents if isinstance(one, PostDocument)]
            others = [one for one in documents if not isinstance(one, PostDocument)]
            if documents and not self._prepared:
                await self._posts.insist(prepare, self._store)
                self._prepared = True
            await self._write(self._posts, posts)
            if self._probe is not None:
                self._probe.written(posts)
        self.road.metrics.records.labels(NAME).inc(len(records))
        self._outage.reached(records[-1].timestamp / 1000)
        age = time.time() - records[0].timestamp / 1000
        self.road.metrics.age_seconds.labels(NAME).observe(max(age, 0.0))
        if others:
            await self._later.add(others, event)
        else:
            await self.ack(event)

    async def release(self) -> None:
        self._hurry.set()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._later.empty(), RELEASE_S)
        self._hurry.clear()

    async def _read(self, records: list[Any]) -> list[Document]:
        documents: list[Document] = []
        letters: list[Sent] = []
        for record in records:
            if record.value is None:  # a tombstone: the document's end is the store's affair
                continue
            try:
                documents.append(unpack(record.value))
            except CodecError as error:
                place = (record.topic, record.partition, record.offset)
                key, letter = unusable(*place, DAMAGED, str(error))
                log.error("%s is damaged: %s", key, error)
                letters.append(await bury(self.road, NAME, key, letter))
        await delivered(letters)
        return documents

    async def _write_later(self) -> None:
        while True:
            portion = await self._later.portion()
            started = time.monotonic()
            await self._write(self._others, portion.documents)
            for event in portion.events:
                await self.ack(event)
            await self._later.written()
            if self._duty.due():
                await self._others.run(self._duty.carry_out, self._store)
            pause = LATER_S - (time.monotonic() - started)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), max(pause, 0.0))

    async def _write(self, writer: Writer, documents: Sequence[Document]) -> None:
        letters: list[Sent] = []
        for batch in batches(documents, self.road.settings.worker.index_batch):
            for document, reason in await writer.write(batch):
                name = key_of(document)
                log.error("the store refused %s: %s", name, reason)
                key = f"{self.topic.name}/{name}"
                letter = refused(self.topic.name, key, document, f"{name}: {reason}")
                letters.append(await bury(self.road, NAME, key, letter))
        await delivered(letters)
