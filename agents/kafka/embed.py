"""The embed agent: raw posts in, frames out. It keeps no state, and scales with the partitions of `posts`.

A delivery is acknowledged once its frames and dead letters are in their logs. A frame, in as many parts as
`posts.embedded` has partitions, is sent only when the one before it, of the same partition of `posts`, is
delivered: a hole between two frames would be posts lost, because the cluster fold skips what is not newer
than what it has seen. Meanwhile the next one is embedded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import msgspec

from agents.kafka.app import Delivery, Road, Stage
from agents.kafka.dead import bury
from agents.kafka.lane import Lane
from agents.kafka.producer import Sent, delivered
from embeddings.door import Door, Embedded, build_frame
from streams.cells import split
from streams.codec import encode
from streams.records import EntryKind
from streams.validation import REASONS, InputRecord, Invalid, Tick

NAME = "embed"

FRAME_BYTES = 256 << 10
"""Raw bytes of the posts of one frame: text, features and vectors then stay below 1 MB."""

FOREIGN = "kafka"
"""Source of a post that names none, from a producer that names none."""


class EmbedStage(Stage):
    def __init__(self, road: Road, door: Door, origin: str) -> None:
        super().__init__(road, NAME, road.topics.posts)
        self._door = door
        self._origin = origin
        self._lane = Lane("embed")
        self._arrival = road.settings.time.ticks == "wall"
        self._under_way: dict[int, asyncio.Future[None]] = {}  # the newest frame of each partition

    async def take(self, event: Delivery) -> None:
        records = event.value
        partition = records[0].partition
        with self.road.metrics.timed(NAME):
            letters: list[Sent] = []
            for chunk in chunks(records, self.road.settings.embed.batch):
                embedded, messages = await self._lane.run(self._embed, chunk, partition)
                offsets = [record.offset for record in chunk]
                for kind_at, letter in zip(_dead_at(embedded), embedded.dead, strict=True):
                    key = f"{partition}/{offsets[kind_at]}"
                    letters.append(await bury(self.road, NAME, key, letter))
                self.road.metrics.unknown_fields.inc(embedded.unknown_fields)
                if (before := self._under_way.get(partition)) is not None:
                    await before
                send, topic = self.road.producer.send, self.road.topics.embedded
                sent = [await send(topic, message, partition=to) for to, message in messages]
                self._under_way[partition] = asyncio.ensure_future(delivered(sent))
        last = self._finish(event, self._under_way[partition], letters)
        self._under_way[partition] = self.promised(last)

    async def _finish(
        self, event: Delivery, frame: asyncio.Future[None], letters: list[Sent]
    ) -> None:
        """Acknowledge a delivery once all that came of it is in the logs."""
        await frame
        await delivered(letters)
        self.road.metrics.records.labels(NAME).inc(len(event.value))
        await self.ack(event)

    def quieten(self) -> None:
        for task in self._tasks:  # the ticks: agents behind could never finish
            task.cancel()

    def _embed(
        self, records: list[Any], partition: int
    ) -> tuple[Embedded, list[tuple[int, bytes]]]:
        """The frame of records, and its parts by partition of `posts.embedded`."""
        entries = [(record.offset, entry_of(record, self._arrival)) for record in records]
        embedded = build_frame(self._door, entries, origin=self._origin, partition=partition)
        parts = enumerate(split(embedded.frame, self.road.topics.embedded.partitions))
        return embedded, [(to, encode(part)) for to, part in parts if len(part.offsets)]


def _dead_at(embedded: Embedded) -> list[int]:
    found: list[int] = (embedded.frame.kinds == EntryKind.DEAD).nonzero()[0].tolist()
    return found


def chunks(records: list[Any], most: int) -> Iterator[list[Any]]:
    """Records of one frame each: at most `most`, and of bounded size unless a single one is larger."""
    chunk: list[Any] = []
    size = 0
    for record in records:
        length = len(record.value or b"")
        if chunk and (len(chunk) == most or size + length > FRAME_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(record)
        size += length
    if chunk:
        yield chunk


def entry_of(record: Any, arrival: bool) -> InputRecord | Tick:
    """What a message of `posts` says. `arrival`: without a header it arrived when it was written."""
    headers = {name: value for name, value in record.headers if value is not None}
    if "tick" in headers and (at := _number(headers["tick"])) is not None:
        return Tick(at)
    place = f"{record.topic}/{record.partition}/{record.offset}"
    received = _number(headers.get("received_at"))
    if received is None and arrival:
        received = record.timestamp
    return InputRecord(
        source=_text(headers.get("source"), FOREIGN),
        input=_text(headers.get("input"), place),
        raw=record.value or b"",
        received_at=received,
        assumed_at=_number(headers.get("assumed_at")),
        unreadable=_invalid(headers.get("invalid")),
    )


def _number(value: bytes | None) -> int | None:
    if value is None or not value.isdigit() or len(value) > 15:
        return None
    return int(value)


def _text(value: bytes | None, default: str) -> str:
    return value.decode("utf-8", "replace") if value else default


def _invalid(value: bytes | None) -> Invalid | None:
    """What our own intake found wrong already; anything else in that header is left aside."""
    if value is None:
        return None
    try:
        invalid = msgspec.json.decode(value, type=Invalid)
    except msgspec.DecodeError:
        return None
    return invalid if invalid.reason in REASONS else None
