"""A shadow over the live topic: reads `posts.embedded`, folds in memory, writes nothing.

Nothing but the offsets of its own consumer group reaches Kafka, so that an operator sees its lag; no
topic, store, checkpoint or group of the workers is touched.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from config import Settings
from evaluation.errors import EvaluationError
from evaluation.shadow.results import results
from evaluation.shadow.side import Side
from evaluation.tuning.frames import door_of
from streams.broker import Broker, BrokerError
from streams.codec import CodecError
from streams.inputs import Inherit, Parting, SettingsChange, read_embedded
from streams.topics import LARGEST_RECORD, Topics

log = logging.getLogger(__name__)

POLL_MS = 500
COMMIT_S = 5.0
NICE = 10
"""How far the shadow stands back: the worker beside it comes first."""

Show = Callable[[int, int], None]
"""Told posts folded, and records that lie ahead."""


@dataclass(frozen=True)
class Span:
    """From where to where the topic is read."""

    from_start: bool = True  # of the log; a fold that begins in its middle lacks its rumors so far
    minutes: float | None = None  # None: until stopped
    to_end: bool = False  # stop where the log ends now


def group_of(settings: Settings) -> str:
    return f"{settings.worker.group}.shadow"


def over_topic(
    running: Settings, candidate: Settings, span: Span, show: Show | None = None
) -> dict[str, Any]:
    """Fold the live topic under both settings until the span ends, SIGINT or SIGTERM.

    Raises BrokerError, EvaluationError, WrongEncoder, BadParameter.
    """
    with suppress(OSError):
        os.nice(NICE)
    broker = Broker(running)
    broker.wait()
    door = door_of(running)
    now, then = Side(running, door), Side(candidate, door)
    reading = _Reading(running, span, (now, then), show or (lambda done, ahead: None))
    asyncio.run(reading.run(broker))
    return results(running, candidate, now, then, reading.first_at) | {"damaged": reading.damaged}


class _Reading:
    def __init__(
        self, settings: Settings, span: Span, sides: tuple[Side, Side], show: Show
    ) -> None:
        self._settings = settings
        self._span = span
        self._sides = sides
        self._show = show
        self._stop = asyncio.Event()
        self._topic = Topics(settings).embedded
        self.first_at: int | None = None
        self.damaged = 0

    async def run(self, broker: Broker) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop.set)
        consumer = AIOKafkaConsumer(
            **broker.client_options(),
            group_id=group_of(self._settings),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=LARGEST_RECORD,
        )
        try:
            await consumer.start()
            await self._read(consumer)
        except KafkaError as error:
            raise BrokerError(f"Kafka at {broker.bootstrap}: {error}") from error
        finally:
            await consumer.stop()

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        places = [TopicPartition(self._topic.name, p) for p in range(self._topic.partitions)]
        if not await self._there(consumer):
            raise EvaluationError(
                f"there is no topic {self._topic.name}: start the workers, or give files to shadow"
            )
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        if self._span.from_start:
            await consumer.seek_to_beginning(*places)
        else:
            await consumer.seek_to_end(*places)
        until = None if self._span.minutes is None else time.monotonic() + 60 * self._span.minutes
        committed = time.monotonic()
        while not self._stop.is_set():
            found = await consumer.getmany(timeout_ms=POLL_MS)
            for place, records in found.items():
                for record in records:
                    if not self._span.to_end or record.offset < ends[place]:
                        self._take(place.partition, record)
            at = {place: await consumer.position(place) for place in places}
            self._show(self._sides[0].folded, sum(max(ends[p] - at[p], 0) for p in places))
            if self._span.to_end and all(at[place] >= ends[place] for place in places):
                break
            if until is not None and time.monotonic() >= until:
                break
            if time.monotonic() - committed >= COMMIT_S:
                committed = time.monotonic()
                await consumer.commit(at)
                ends = ends if self._span.to_end else await consumer.end_offsets(places)
        await consumer.commit({place: await consumer.position(place) for place in places})

    async def _there(self, consumer: AIOKafkaConsumer) -> bool:
        names: set[str] = await consumer.topics()
        return self._topic.name in names

    def _take(self, partition: int, record: Any) -> None:
        try:
            frame = read_embedded(record.value or b"")
        except CodecError as error:
            self.damaged += 1
            log.warning("%s/%d/%d is left out: %s", record.topic, partition, record.offset, error)
            return
        if isinstance(frame, SettingsChange):
            self._sides[0].settle(
                frame
            )  # the settings in force follow the log, the candidate stays
            return
        if isinstance(frame, Parting | Inherit):
            return  # the desk's splits are its own, and a shadow's folds have their own states
        if self.first_at is None and len(frame.posts):
            self.first_at = int(frame.posts.created_at.min())
        for side in self._sides:
            side.fold(frame, partition)
