"""Whole topics, from their beginning to where they end now; for comparisons and audits, not for the road."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from streams.broker import Broker, BrokerError
from streams.topics import LARGEST_RECORD, Topic

POLL_MS = 500


@asynccontextmanager
async def reader(broker: Broker) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer without group. Raises BrokerError."""
    consumer = AIOKafkaConsumer(
        **broker.client_options(),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=LARGEST_RECORD,
    )
    try:
        await consumer.start()
        yield consumer
    except KafkaError as error:
        raise BrokerError(f"Kafka at {broker.bootstrap}: {error}") from error
    finally:
        await consumer.stop()


async def records(consumer: AIOKafkaConsumer, topic: Topic) -> AsyncIterator[Any]:
    """Records of all partitions, one partition after the other, in offset order."""
    for partition in range(topic.partitions):
        place = TopicPartition(topic.name, partition)
        consumer.assign([place])
        end = (await consumer.end_offsets([place]))[place]
        await consumer.seek_to_beginning(place)
        while await consumer.position(place) < end:
            found = await consumer.getmany(place, timeout_ms=POLL_MS)
            for record in found.get(place, ()):
                if record.offset < end:
                    yield record


def header(record: Any, name: str) -> bytes | None:
    """The last header of that name."""
    headers: Iterable[tuple[str, bytes]] = record.headers
    return dict(headers).get(name)
