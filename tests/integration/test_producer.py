"""Many messages in whole batches: all there, in order, with their keys, the large ones too."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from agents.kafka.logs import reader, records
from agents.kafka.producer import BATCH_BYTES, Producer, delivered
from deploy.local import Kafka
from streams.broker import Broker
from tests.kafka_road import road

pytestmark = pytest.mark.kafka


def test_many_messages_arrive_in_order_whatever_their_size(
    kafka: Kafka, fresh_name: Callable[[], str], tmp_path: Path
) -> None:
    sizes = [10] * 500 + [BATCH_BYTES + 1, 1, BATCH_BYTES // 2, BATCH_BYTES // 2, 7, 0]
    headers = (("source", b"one"), ("of", b"all"))
    messages = [(b"%d" % n if n % 3 else None, b"x" * size) for n, size in enumerate(sizes)]

    async def there_and_back() -> list[tuple[bytes | None, bytes]]:
        producer, topic = Producer(Broker(kafka_road.settings)), kafka_road.topics.assignments
        await producer.start()
        assert await producer.send_all(topic, []) == []
        await delivered([await producer.send(topic, b"before", key=b"k")])
        await delivered(await producer.send_all(topic, messages, headers=headers))
        await producer.stop()
        async with reader(Broker(kafka_road.settings)) as consumer:
            found = [r async for r in records(consumer, topic)]
        assert [r.headers for r in found] == [(), *[headers] * len(messages)]
        return [(r.key, r.value) for r in found]

    with road(kafka.bootstrap, fresh_name(), tmp_path) as kafka_road:
        found = asyncio.run(there_and_back())
    assert found == [(b"k", b"before"), *messages]
