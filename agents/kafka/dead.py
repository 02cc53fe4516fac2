"""Dead letters: what could not be used, kept in `posts.dead` with its reason, masked.

The key is `partition/offset` of the record in `posts`, and `topic/partition/offset` for a record of
another topic. Headers: `reason` (a word of `streams.validation.REASONS`, `damaged` or `refused`) and `stage`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import msgspec

from agents.kafka.app import Road
from agents.kafka.producer import Sent
from streams.codec import CodecError
from streams.records import Dead

log = logging.getLogger(__name__)

RAW_BYTES = 500_000
"""A refused document stands in its letter unless it is longer: a broker takes 1 MB."""

DAMAGED = "damaged"
"""Reason: a message of ours that cannot be read."""

REFUSED = "refused"
"""Reason: a document that the store does not take."""

T = TypeVar("T")

_encode = msgspec.json.Encoder().encode


async def bury(road: Road, stage: str, key: str, letter: Dead) -> Sent:
    """Send a dead letter; safe once the future is done."""
    road.metrics.dead_letters.labels(stage, letter.reason).inc()
    return await road.producer.send(
        road.topics.dead,
        _encode(letter),
        key=key.encode(),
        headers=[("reason", letter.reason.encode()), ("stage", stage.encode())],
    )


async def bury_damaged(road: Road, stage: str, damaged: list[tuple[str, Dead]]) -> list[Sent]:
    """Tell of messages that cannot be read (key and letter), and send their letters."""
    sent = []
    for key, letter in damaged:
        log.error("%s is damaged: %s", key, letter.detail)
        sent.append(await bury(road, stage, key, letter))
    return sent


def unusable(topic: str, partition: int, offset: int, reason: str, detail: str) -> tuple[str, Dead]:
    """Key and letter of a record of ours that is damaged or refused."""
    key = f"{topic}/{partition}/{offset}"
    letter = Dead(source=topic, id=None, reason=reason, detail=detail, input=key, raw="")
    return key, letter


def refused(topic: str, key: str, document: msgspec.Struct, why: str) -> Dead:
    """The letter of a document that the store will never take, with the document (masked before)."""
    raw = _encode(document)
    kept = raw.decode() if len(raw) <= RAW_BYTES else ""
    return Dead(source=topic, id=None, reason=REFUSED, detail=why, input=key, raw=kept)


def readable(
    records: list[Any], read: Callable[[bytes], T], damaged: list[tuple[str, Dead]]
) -> Iterator[T]:
    """Messages of ours, read as they are asked for; those that cannot be read go to `damaged`."""
    for record in records:
        try:
            yield read(record.value or b"")
        except CodecError as error:
            place = (record.topic, record.partition, record.offset)
            damaged.append(unusable(*place, DAMAGED, str(error)))
