"""Bounded reads from one partition of a compacted topic, where offsets may be missing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

_POLL_MS = 200  # how long one fetch waits at the end of what can be read


async def read_committed(
    consumer: AIOKafkaConsumer, place: TopicPartition, end: int
) -> AsyncIterator[Any]:
    """Records from the start of a partition up to `end`, which waits for open transactions.

    The consumer reads with isolation level read_committed.
    """
    consumer.assign([place])
    await consumer.seek_to_beginning(place)
    while await consumer.position(place) < end:
        for records in (await consumer.getmany(place, timeout_ms=_POLL_MS)).values():
            for record in records:
                yield record


async def read_at(
    consumer: AIOKafkaConsumer, place: TopicPartition, offsets: Collection[int]
) -> list[bytes]:
    """Values of the records at one or more offsets, in order; removed ones are left out."""
    wanted = set(offsets)
    consumer.assign([place])
    beginning = (await consumer.beginning_offsets([place]))[place]
    end = min(max(wanted) + 1, (await consumer.end_offsets([place]))[place])
    consumer.seek(place, max(min(wanted), beginning))
    values = []
    while await consumer.position(place) < end:
        for records in (await consumer.getmany(place, timeout_ms=_POLL_MS)).values():
            values += [r.value for r in records if r.offset in wanted and r.value is not None]
    return values
