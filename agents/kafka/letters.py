"""Dead letters read back, and their records sent to `posts` again.

A letter holds masked remains; what is sent again is the record itself, out of `posts`, for as long as that
topic keeps it. It arrives as a new record and is counted as one: a post that was folded meanwhile comes
out as a duplicate, one that cannot be used has a new letter. A receipt in `posts.dead` (stage `redrive`,
the letter's key) keeps a second call from sending it again.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection
from typing import Any, NamedTuple

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from agents.kafka.embed import NAME as EMBED
from agents.kafka.logs import header, reader, records
from agents.kafka.producer import Header, Producer, delivered
from config import Settings
from streams.broker import Broker, BrokerError
from streams.records import Dead
from streams.topics import Topics, ensure

REDRIVE = "redrive"
"""The stage that a receipt names."""

WINDOW = 500
"""Records under way at a time."""

FETCH_S = 30.0

CUT = frozenset({"too_large", "bad_row", "truncated_file"})
"""Reasons for which our own intake put remains into `posts` that are no record any more."""

_letter = msgspec.json.Decoder(Dead)
Place = tuple[int, int]  # partition and offset in `posts`


class Letter(NamedTuple):
    """A dead letter, and whether its record was sent again."""

    key: str  # `partition/offset` in `posts`, or `topic/partition/offset`
    at: int  # ms, when it was written
    stage: str
    content: Dead
    sent_again: bool

    @property
    def place(self) -> Place | None:
        """Where the record stands in `posts`; None for a record of another topic."""
        if self.stage != EMBED:
            return None
        partition, _, offset = self.key.partition("/")
        return int(partition), int(offset)


class Wanted(NamedTuple):
    """Which letters are meant."""

    reasons: Collection[str] = ()  # empty: all
    since: int = 0  # ms, of the letter's writing

    def holds(self, letter: Letter) -> bool:
        return letter.at >= self.since and (
            not self.reasons or letter.content.reason in self.reasons
        )


class Redriven(NamedTuple):
    """What became of the letters that were meant."""

    sent: int  # or would be, in a dry run
    before: int  # sent by an earlier call
    gone: int  # `posts` keeps the record no longer
    no_record: int  # of another topic than `posts`, or only remains are left


def read_letters(settings: Settings, wanted: Wanted) -> list[Letter]:
    """Letters in the order of the log. Raises BrokerError."""
    broker, topics = Broker(settings), Topics(settings)
    broker.wait()
    ensure(broker, topics, [topics.dead, topics.posts])
    return asyncio.run(_read(broker, topics, wanted))


def redrive(settings: Settings, wanted: Wanted, *, dry_run: bool = False) -> Redriven:
    """Send the records of letters to `posts` again; returns when all are in the log. Raises BrokerError."""
    found = read_letters(settings, wanted)
    fresh = [one for one in found if not one.sent_again]
    chosen = [one for one in fresh if one.place is not None]
    live = settings.time.ticks == "wall"
    done = asyncio.run(_redrive(Broker(settings), Topics(settings), chosen, live, dry_run))
    return done._replace(
        before=len(found) - len(fresh), no_record=done.no_record + len(fresh) - len(chosen)
    )


async def _read(broker: Broker, topics: Topics, wanted: Wanted) -> list[Letter]:
    letters: list[tuple[str, int, str, Dead]] = []
    receipts: set[str] = set()
    async with reader(broker) as consumer:
        async for record in records(consumer, topics.dead):
            key = (record.key or b"").decode("utf-8", "replace")
            stage = (header(record, "stage") or b"").decode("utf-8", "replace")
            if stage == REDRIVE:
                receipts.add(key)
                continue
            try:
                letters.append((key, record.timestamp, stage, _letter.decode(record.value or b"")))
            except msgspec.DecodeError:
                continue  # somebody else's message
    found = [Letter(*one, one[0] in receipts) for one in letters]
    return [letter for letter in found if wanted.holds(letter)]


async def _redrive(
    broker: Broker, topics: Topics, letters: list[Letter], live: bool, dry_run: bool
) -> Redriven:
    sent = gone = no_record = 0
    if not letters:
        return Redriven(0, 0, 0, 0)
    producer = Producer(broker)
    await producer.start()
    try:
        async with reader(broker) as consumer:
            for start in range(0, len(letters), WINDOW):
                window: list[tuple[Letter, Any, tuple[bytes, list[Header]]]] = []
                for letter in letters[start : start + WINDOW]:
                    record = await _record(consumer, topics, letter)
                    if record is None:
                        gone += 1
                    elif (again := anew(record, letter.content, live=live)) is None:
                        no_record += 1
                    else:
                        window.append((letter, record, again))
                sent += len(window)
                if not dry_run:
                    await _send(producer, topics, window)
    except KafkaError as error:
        raise BrokerError(
            f"{topics.posts.name}: {error or type(error).__name__}; call it again when Kafka runs: "
            "what was sent is not sent twice"
        ) from error
    finally:
        await producer.stop()
    return Redriven(sent, 0, gone, no_record)


async def _send(
    producer: Producer, topics: Topics, window: list[tuple[Letter, Any, tuple[bytes, list[Header]]]]
) -> None:
    """The records first, their receipts when those are in the log."""
    posts = [
        await producer.send(
            topics.posts, value, key=record.key, partition=record.partition, headers=headers
        )
        for _, record, (value, headers) in window
    ]
    await delivered(posts)
    receipts = []
    for (letter, _, _), post in zip(window, posts, strict=True):
        place = post.result()
        told = json.dumps({"sent_to": f"{place.partition}/{place.offset}"}).encode()
        headers = [("reason", letter.content.reason.encode()), ("stage", REDRIVE.encode())]
        receipts.append(
            await producer.send(topics.dead, told, key=letter.key.encode(), headers=headers)
        )
    await delivered(receipts)


async def _record(consumer: AIOKafkaConsumer, topics: Topics, letter: Letter) -> Any | None:
    """The letter's record in `posts`, or None when the topic keeps it no longer."""
    assert letter.place is not None
    partition, offset = letter.place
    if partition >= topics.posts.partitions:
        return None
    place = TopicPartition(topics.posts.name, partition)
    consumer.assign([place])
    if (
        not (await consumer.beginning_offsets([place]))[place]
        <= offset
        < (await consumer.end_offsets([place]))[place]
    ):
        return None
    consumer.seek(place, offset)
    async with asyncio.timeout(FETCH_S):
        record = await consumer.getone(place)
    return record if record.offset == offset else None


def anew(record: Any, letter: Dead, *, live: bool) -> tuple[bytes, list[Header]] | None:
    """Value and headers with which a record arrives again; None when only remains of it are left.

    In a live stream it keeps the time of its arrival, unless that is what it died of; our own intake's
    verdict is dropped, so that today's rules decide.
    """
    headers = {name: value for name, value in record.headers if value is not None}
    value = record.value or b""
    if headers.pop("invalid", None) is not None:
        if letter.reason in CUT:
            return None
        value = _without_author(value)
    headers.setdefault("input", letter.input.encode("utf-8", "replace"))
    if letter.reason == "future":
        headers.pop("received_at", None)
    elif live:
        headers.setdefault("received_at", str(record.timestamp).encode())
    return value, list(headers.items())


def _without_author(remains: bytes) -> bytes:
    """The mask in the author's place would count as one voice for all."""
    try:
        fields = json.loads(remains)
    except ValueError:
        return remains
    if not isinstance(fields, dict) or fields.pop("author", None) is None:
        return remains
    return json.dumps(fields, ensure_ascii=False).encode()
