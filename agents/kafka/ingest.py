"""Files into the topic `posts`, in the order of a replay, with a replay's ticks when time is event time."""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import msgspec
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from agents.feeding import with_ticks
from agents.front import Entry
from agents.kafka.producer import Header, Producer, Sent, delivered
from agents.stages import pseudonym_key
from config import Settings
from embeddings.sealing import seal
from streams.broker import Broker, BrokerError
from streams.sources.files import KEPT_OF_TOO_LARGE, read_files
from streams.time import NEVER
from streams.topics import Topics, ensure
from streams.validation import InputRecord, IntakeRules, Invalid, Valid, check

WINDOW = 2_000
"""Messages under way at a time."""

ALONE_BYTES = 128 << 10
"""From here on a record is sent by itself."""

Window = list[tuple[Entry, bool]]  # an entry, and whether it is the last one of all

_json = msgspec.json.Encoder().encode


class Intake(NamedTuple):
    """How to read, and how fast to send."""

    as_is: bool = False
    assume_rate: float | None = None
    rate: float | None = None  # records per second
    on_progress: Callable[[int, int | None], None] | None = None


class Ingested(NamedTuple):
    records: int
    ticks: int
    too_large: int  # of them cut, because the topic takes no message of their size
    topic: str
    seconds: float
    too_old: bool = False  # by wall time even the newest post lies before the window


def ingest_files(paths: list[str], settings: Settings, intake: Intake) -> Ingested:
    """Send the posts of files; returns when all are in the log. Raises FileError, BrokerError."""
    rules = IntakeRules(
        max_record_bytes=settings.intake.max_record_bytes,
        future_ms=None,
        arrival_time_sources=frozenset(settings.intake.arrival_time_sources),
    )
    reading = read_files(paths, as_is=intake.as_is, assume_rate=intake.assume_rate, rules=rules)
    broker = Broker(settings)
    broker.wait()
    topics = Topics(settings)
    ensure(broker, topics, [topics.posts])
    entries: Iterable[Entry]
    if settings.time.ticks == "event":
        entries = with_ticks(reading.checked(), int(settings.time.replay_tick_s * 1000))
    else:
        entries = (Entry(record, None) for record in reading)
    sending = _Sending(broker, topics, intake, stamp=settings.time.ticks == "wall")
    key = pseudonym_key(settings)
    newest = NEVER

    def sealed() -> Iterator[Entry]:
        nonlocal newest
        for entry in entries:
            if entry.record is None:
                yield entry
                continue
            checked = entry.checked or check(entry.record, rules)
            if isinstance(checked, Valid):
                newest = max(newest, checked.post.created_at)
            yield Entry(seal(entry.record, checked, key=key), None)

    done = asyncio.run(sending.all(sealed(), reading.total))
    window_ms = int(settings.cluster.window_days * 86_400_000)
    now = int(time.time() * 1000)
    too_old = settings.time.ticks == "wall" and NEVER < newest < now - window_ms
    return done._replace(too_old=too_old)


class _Sending:
    def __init__(self, broker: Broker, topics: Topics, intake: Intake, *, stamp: bool) -> None:
        self._topic = topics.posts
        self._intake = intake
        self._stamp = stamp
        self._producer = Producer(broker)
        self._records = self._ticks = self._too_large = 0

    async def all(self, entries: Iterable[Entry], total: int | None) -> Ingested:
        started = time.monotonic()
        await self._producer.start()
        try:
            for window in _windows(entries, self._window()):
                await self._window_of(window, started)
                if self._intake.on_progress is not None:
                    self._intake.on_progress(self._records, total)
        except KafkaError as error:
            raise BrokerError(
                f"{self._topic.name}: {error or type(error).__name__}; {self._records} records are in, "
                "send the file again when Kafka runs: posts that come twice are counted as duplicates"
            ) from error
        finally:
            await self._producer.stop()
        seconds = time.monotonic() - started
        return Ingested(self._records, self._ticks, self._too_large, self._topic.name, seconds)

    def _window(self) -> int:
        rate = self._intake.rate
        return WINDOW if rate is None else max(1, min(WINDOW, int(rate / 10)))

    async def _window_of(self, entries: Window, started: float) -> None:
        """Send a window's messages and wait for them; each partition has them in the input's order.

        Ticks go to partition 0, the closing one to all: it brings out the last posts of each.
        """
        if self._intake.rate is not None:
            ahead = self._records / self._intake.rate - (time.monotonic() - started)
            if ahead > 0:
                await asyncio.sleep(ahead)
        sent: list[Sent] = []
        for entry, last in entries:
            if entry.record is None:
                tick: Header = ("tick", str(entry.tick).encode())
                for partition in range(self._topic.partitions if last else 1):
                    sent.append(
                        await self._producer.send(
                            self._topic, b"", partition=partition, headers=[tick]
                        )
                    )
                self._ticks += 1
            else:
                await self._post(entry.record, sent)
                self._records += 1
        await delivered(sent)

    async def _post(self, record: InputRecord, sent: list[Sent]) -> None:
        partition = zlib.crc32(record.raw) % self._topic.partitions
        received_at = int(time.time() * 1000) if self._stamp else None
        if len(record.raw) > ALONE_BYTES:
            # Alone, so that a refusal is known before anything behind it is sent.
            await delivered(sent)
            sent.clear()
            try:
                await delivered([await self._send(record, partition, received_at)])
                return
            except MessageSizeTooLargeError:
                record = cut(record)
                self._too_large += 1
        sent.append(await self._send(record, partition, received_at))

    async def _send(self, record: InputRecord, partition: int, received_at: int | None) -> Sent:
        headers = headers_of(record, received_at)
        return await self._producer.send(
            self._topic, record.raw, partition=partition, headers=headers
        )


def headers_of(record: InputRecord, received_at: int | None) -> list[Header]:
    """What the embed agent reads beside the raw post."""
    headers = [
        ("source", record.source.encode()),
        ("input", record.input.encode("utf-8", "replace")),
    ]
    if received_at is not None:
        headers.append(("received_at", str(received_at).encode()))
    if record.assumed_at is not None:
        headers.append(("assumed_at", str(record.assumed_at).encode()))
    if record.unreadable is not None:
        headers.append(("invalid", _json(record.unreadable)))
    return headers


def cut(record: InputRecord) -> InputRecord:
    """A record that the broker takes in the place of one that it refuses as too large."""
    detail = (
        f"{len(record.raw)} bytes, more than the topic takes: send the text without attachments"
    )
    return msgspec.structs.replace(
        record,
        raw=record.raw[:KEPT_OF_TOO_LARGE],
        unreadable=Invalid("too_large", detail, record.source),
    )


def _windows(entries: Iterable[Entry], size: int) -> Iterator[Window]:
    """Entries in portions; the last one of all is marked."""
    window: Window = []
    held: Entry | None = None
    for entry in entries:
        if held is not None:
            window.append((held, False))
        held = entry
        if len(window) == size:
            yield window
            window = []
    if held is not None:
        yield [*window, (held, True)]
