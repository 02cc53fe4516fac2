"""A topic with a group that reads it through the batching transport, at a test's command."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import faust
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from streams.faust_transport import consumer_url, fetched_before_seek

WAIT_S = 60.0


@dataclass
class Log:
    """A topic, and a group that reads it."""

    bootstrap: str
    topic: str
    group: str
    folder: Path  # Faust makes one for its tables, whether there are any or not

    async def create(self, partitions: int = 1, config: dict[str, str] | None = None) -> None:
        async with admin_on(self.bootstrap) as admin:
            new = NewTopic(self.topic, partitions, 1, topic_configs=config or {})
            await admin.create_topics([new])

    async def write(self, *values: bytes | None, partition: int = 0, **options: Any) -> list[int]:
        """Offsets of the records written, in one batch."""
        async with producer_on(self.bootstrap) as producer:
            return await _send(producer, self.topic, values, partition, **options)

    async def write_in_transaction(self, *values: bytes) -> list[int]:
        """As `write`; leaves a marker, that is a gap of one offset, behind the last record."""
        options = {"transactional_id": self.topic}
        async with producer_on(self.bootstrap, **options) as producer, producer.transaction():
            return await _send(producer, self.topic, values, 0)

    async def committed(self, partition: int = 0) -> int | None:
        """The group's offset, from the broker."""
        async with admin_on(self.bootstrap) as admin:
            offsets = await admin.list_consumer_group_offsets(self.group)
        found = offsets.get(TopicPartition(self.topic, partition))
        return None if found is None or found.offset < 0 else int(found.offset)

    async def await_committed(self, offset: int, partition: int = 0) -> None:
        await eventually(lambda: self.committed(partition), offset)


@dataclass
class Reader:
    """A worker that hands every delivery to the test and acknowledges nothing by itself."""

    log: Log
    app: Any
    events: list[Any] = field(default_factory=list)
    stream: Any = None

    def batches(self) -> list[list[int]]:
        return [[record.offset for record in event.value] for event in self.events]

    def offsets(self) -> list[int]:
        return sorted({offset for batch in self.batches() for offset in batch})

    def since_seek(self) -> list[int]:
        """Offsets delivered since the last seek; what was fetched before it and came later is dropped."""
        self.events = [e for e in self.events if not fetched_before_seek(self.app, e)]
        return self.offsets()

    async def await_offsets(self, *offsets: int) -> None:
        async def now() -> list[int]:
            return self.offsets()

        await eventually(now, list(offsets))

    async def ack(self, *indices: int) -> None:
        for index in indices:
            await self.stream.ack(self.events[index])

    async def ack_all(self) -> None:
        await self.ack(*range(len(self.events)))

    @property
    def partitions(self) -> set[int]:
        return {tp.partition for tp in self.app.consumer.assignment() if tp.topic == self.log.topic}


async def eventually(probe: Callable[[], Any], wanted: Any) -> None:
    """Wait until a probe gives what is wanted; the assertion shows what it gave last."""
    for _ in range(int(WAIT_S / 0.1)):
        got = await probe()
        if got == wanted:
            return
        await asyncio.sleep(0.1)
    assert got == wanted


@asynccontextmanager
async def admin_on(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


@asynccontextmanager
async def producer_on(bootstrap: str, **options: Any) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", linger_ms=20, **options)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def _send(
    producer: AIOKafkaProducer, topic: str, values: Any, partition: int, **options: Any
) -> list[int]:
    sent = [await producer.send(topic, value, partition=partition, **options) for value in values]
    return [metadata.offset for metadata in await asyncio.gather(*sent)]


def new_app(log: Log, **options: Any) -> Any:
    options = {"stream_buffer_maxsize": 8} | options
    return faust.App(
        log.group,
        broker=f"kafka://{log.bootstrap}",
        broker_consumer=consumer_url(log.bootstrap),
        store="memory://",
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        stream_wait_empty=True,
        broker_commit_interval=0.2,
        broker_session_timeout=6.0,
        broker_heartbeat_interval=1.0,
        broker_request_timeout=20.0,
        consumer_auto_offset_reset="earliest",
        consumer_metadata_max_age_ms=3000,
        datadir=str(log.folder),
        autodiscover=False,
        set_as_current=False,
        **options,
    )


@asynccontextmanager
async def reading(
    log: Log, gate: asyncio.Event | None = None, **options: Any
) -> AsyncIterator[Reader]:
    """A started worker; leaving the block stops it as SIGTERM would.

    With `gate` its agent takes one delivery and no more until the gate is open.
    """
    app = new_app(log, **options)
    reader = Reader(log, app)
    topic = app.topic(log.topic, key_serializer="raw", value_serializer="raw")

    @app.agent(topic)
    async def keep(stream: Any) -> None:
        reader.stream = stream
        async for event in stream.noack().events():
            reader.events.append(event)
            if gate is not None:
                await gate.wait()
            del event  # an unacknowledged event that is referenced holds up the stop

    async with _started(app):
        yield reader
        reader.events.clear()  # what is not acknowledged must be released, or the stop waits


@asynccontextmanager
async def _started(app: Any) -> AsyncIterator[None]:
    app.finalize()
    app.client_only = False
    await app.start()
    try:
        yield
    finally:
        await asyncio.wait_for(app.stop(), 30)
