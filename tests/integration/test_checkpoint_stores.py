"""Checkpoints in a compacted topic keep the contract on a real broker, compaction included."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.local import Kafka
from streams.checkpoints import Checkpoint, CheckpointError
from streams.checkpoints.kafka import TOPIC_CONFIG, KafkaCheckpoints
from tests.contracts.checkpoints import CheckpointContract, Damage, Opened

pytestmark = pytest.mark.kafka

# Compacts within seconds what takes an hour by default.
EAGER = {"segment.bytes": "1048576", "min.cleanable.dirty.ratio": "0.01", "segment.ms": "1000",
         "max.compaction.lag.ms": "1000"}  # fmt: skip
COMPACTION_S = 90.0  # a busy machine; the broker looks every second


async def create(bootstrap: str, topic: str, partitions: int, **config: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    new = NewTopic(topic, partitions, 1, topic_configs={**TOPIC_CONFIG, **config})
    await admin.create_topics([new])
    await admin.close()


@pytest.fixture(params=[1, 3], ids=["one partition", "three partitions"])
async def topic(request: Any, kafka: Kafka, fresh_name: Callable[[], str]) -> str:
    name = fresh_name()
    await create(kafka.bootstrap, name, request.param)
    return name


@asynccontextmanager
async def stores(kafka: Kafka, topic: str) -> AsyncIterator[Opened]:
    made: list[KafkaCheckpoints] = []

    async def make() -> KafkaCheckpoints:
        store = KafkaCheckpoints(kafka.bootstrap, topic)
        made.append(store)
        await store.start()
        return store

    yield make
    for store in made:
        await store.stop()


@pytest.fixture
async def opened(kafka: Kafka, topic: str) -> AsyncIterator[Opened]:
    async with stores(kafka, topic) as make:
        yield make


async def records(kafka: Kafka, topic: str, partition: int) -> list[Any]:
    """All committed records that are in a partition now."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka.bootstrap, isolation_level="read_committed",
        max_partition_fetch_bytes=16 << 20,
    )  # fmt: skip
    await consumer.start()
    place = TopicPartition(topic, partition)
    consumer.assign([place])
    await consumer.seek_to_beginning(place)
    end = (await consumer.end_offsets([place]))[place]
    found = []
    while await consumer.position(place) < end:
        for fetched in (await consumer.getmany(place, timeout_ms=200)).values():
            found += fetched
    await consumer.stop()
    return found


async def send(kafka: Kafka, topic: str, value: bytes | None, key: bytes, partition: int) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap)
    await producer.start()
    await producer.send_and_wait(topic, value, key, partition)
    await producer.stop()


@pytest.fixture
def damage(kafka: Kafka, topic: str) -> Damage:
    """The newest manifest names another digest from now on."""

    async def spoil(fold: str, partition: int) -> None:
        prefix = f"{fold}/{partition}/".encode()
        manifests = [
            (json.loads(record.value), record.key)
            for record in await records(kafka, topic, 0)
            if record.key.startswith(prefix) and record.key.count(b"/") == 2
        ]
        manifest, key = max(manifests, key=lambda one: one[0]["generation"])
        await send(kafka, topic, json.dumps({**manifest, "digest": "0" * 64}).encode(), key, 0)

    return spoil


class TestKafkaCheckpoints(CheckpointContract):
    async def test_a_save_that_was_cut_off_leaves_no_trace(
        self, opened: Opened, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store = await opened()
        await store.load("cluster", 0)
        for offset in (10, 20):
            await store.save("cluster", 0, offset, b"state %d" % offset)

        async def die(self: Any) -> None:
            await self.flush()  # chunks and manifest are in the log, the commit is not
            raise SystemExit

        with monkeypatch.context() as patched:
            patched.setattr(AIOKafkaProducer, "commit_transaction", die)
            patched.setattr(AIOKafkaProducer, "abort_transaction", die)
            with pytest.raises(SystemExit):
                await store.save("cluster", 0, 30, os.urandom(3_000_000))
        again = await opened()
        assert await again.load("cluster", 0) == Checkpoint(20, b"state 20", 2)
        assert again.damaged == 0

    async def test_a_cancelled_save_can_be_followed_by_another(self, opened: Opened) -> None:
        store = await opened()
        await store.load("cluster", 0)
        saving = asyncio.ensure_future(store.save("cluster", 0, 10, os.urandom(20_000_000)))
        await asyncio.sleep(0.05)
        saving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await saving
        await store.save("cluster", 0, 20, b"whole")
        assert await store.load("cluster", 0) == Checkpoint(20, b"whole", 1)

    async def test_another_folds_open_transaction_hides_nothing(
        self, opened: Opened, kafka: Kafka, topic: str
    ) -> None:
        other = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, transactional_id=topic)
        await other.start()
        store = await opened()
        await store.load("cluster", 0)
        await store.save("cluster", 0, 10, b"old")
        await other.begin_transaction()
        await other.send_and_wait(topic, b"{}", b"alert/0/0", 0)
        await store.save("cluster", 0, 20, b"new, behind an open transaction")
        again = await opened()
        loading = asyncio.ensure_future(again.load("cluster", 0))
        await asyncio.sleep(1)
        assert not loading.done(), "it must wait, or it would give the old one"
        await other.abort_transaction()
        assert await loading == Checkpoint(20, b"new, behind an open transaction", 2)
        await other.stop()

    async def test_a_missing_topic_and_a_silent_broker_are_one_line(self, kafka: Kafka) -> None:
        with pytest.raises(CheckpointError, match=r"topic never-made is missing .*tindon apply"):
            await KafkaCheckpoints(kafka.bootstrap, "never-made").start()
        with pytest.raises(CheckpointError, match=r"Kafka at 127\.0\.0\.1:1 does not answer"):
            await KafkaCheckpoints("127.0.0.1:1", "any").start()


async def test_compaction_keeps_the_newest_and_the_one_before(
    kafka: Kafka, fresh_name: Callable[[], str]
) -> None:
    topic = fresh_name()
    await create(kafka.bootstrap, topic, 2, **EAGER)
    async with stores(kafka, topic) as opened:
        store = await opened()
        await store.load("cluster", 0)
        blobs = [os.urandom(3_000_000) for _ in range(8)]
        for offset, blob in enumerate(blobs):
            await store.save("cluster", 0, offset, blob)
        await store.save("cluster", 0, 8, b"small")  # leaves tombstones of its predecessor's chunks
        written = 8 * 4 + 1 + 3
        # Records that open a new segment, so that the checkpoints' own can be compacted.
        deadline = asyncio.get_running_loop().time() + COMPACTION_S
        left = written
        while left > 8 and asyncio.get_running_loop().time() < deadline:
            await send(kafka, topic, b"", b"roll", 1)
            await asyncio.sleep(1)
            left = len([r for r in await records(kafka, topic, 1) if r.key != b"roll"])
        assert left <= 8, f"{left} of {written} chunks are left: the broker did not compact"

        again = await opened()
        assert await again.load("cluster", 0) == Checkpoint(8, b"small", 9)
        [newest] = [r for r in await records(kafka, topic, 0) if json.loads(r.value)["offset"] == 8]
        await send(kafka, topic, b"not json", newest.key, 0)
        last = await opened()
        assert await last.load("cluster", 0) == Checkpoint(7, blobs[7], 8)
        assert last.damaged == 1
