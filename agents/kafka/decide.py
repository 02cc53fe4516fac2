"""What people decide, into `rumors.input`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiokafka.errors import KafkaError

from agents.kafka.producer import Producer, delivered
from config import Settings
from streams.broker import Broker, BrokerError
from streams.codec import encode
from streams.inputs import Decision
from streams.topics import Topics, ensure


def send(settings: Settings, records: Sequence[Decision]) -> None:
    """Send records in order; returns when all are in the log. Raises BrokerError."""
    broker, topics = Broker(settings), Topics(settings)
    broker.wait()
    ensure(broker, topics, [topics.changes])
    asyncio.run(_send(broker, topics, records))


async def _send(broker: Broker, topics: Topics, records: Sequence[Decision]) -> None:
    producer = Producer(broker)
    await producer.start()
    try:
        await delivered([await producer.send(topics.changes, encode(one)) for one in records])
    except KafkaError as error:
        raise BrokerError(f"Kafka at {broker.bootstrap}: {error}") from error
    finally:
        await producer.stop()
