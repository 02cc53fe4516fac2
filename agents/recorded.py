"""What `tindon worker --record` left in Kafka, as the files of a replay.

Reads whole topics into memory: for the comparison of a road on Kafka with a replay or with an offline
fold of its logs, and for audits of a bounded stretch.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from agents.kafka.embed import NAME as EMBED
from agents.kafka.logs import header, reader, records
from agents.kafka.record import Recorded
from agents.memory import peak_rss_bytes
from agents.replay_files import Totals, write_files
from agents.stages import alert_fold, door_for, encoder_for
from agents.told import Progress, Results
from config import Settings
from streams.broker import Broker
from streams.codec import CodecError, decode
from streams.documents import RumorDocument
from streams.inputs import EmbeddedRecord, Inherit, RumorInput, read_embedded, read_input
from streams.records import Change, Dead, EntryKind, Frame
from streams.topics import Topics

_dead = msgspec.json.Decoder(Dead)


class Resent(NamedTuple):
    """What stands in the logs more than once, because a worker ended before it acknowledged."""

    entries: int  # of frames
    changes: int
    records: int  # of the topic `assignments`


class Told(NamedTuple):
    """What the folds said, and where the posts came from; the form that `write_files` reads."""

    said: list[Results]
    inputs: list[str]  # of the posts that are not dead, in the order of `said`

    def results(self) -> Iterable[Results]:
        return self.said


Embedded = tuple[int, EmbeddedRecord]
"""Offset and record."""


class Posts(NamedTuple):
    """The topics `posts`, `posts.dead` and `posts.embedded`, read once."""

    # Of the posts that are not dead, by partition of `posts.embedded`, in order.
    inputs: list[list[str]]
    dead: list[Dead]
    embedded: list[list[Embedded]]  # by partition, in the log's order, resent ones too
    resent: int  # entries that a frame before held already
    first_ms: int  # when the first of them was written


def write_recorded(settings: Settings, out: Path) -> tuple[dict[str, Any], Resent]:
    """Rebuild `assignments.jsonl` and the other files of a replay; returns the summary.

    Raises BrokerError, CodecError.
    """
    return asyncio.run(_write(settings, out))


async def _write(settings: Settings, out: Path) -> tuple[dict[str, Any], Resent]:
    topics = Topics(settings)
    async with reader(Broker(settings)) as consumer:
        posts = await read_posts(consumer, topics)
        recorded, again, last_ms = await _distinct(consumer, topics)
        open_rumors, changes = await _open_rumors(consumer, topics, settings)
    said = [
        (r.partition, Results(r.assigned, r.merged, r.raised, r.closed, [], r.moved))
        for r in recorded
    ]
    told = told_of(said, posts)
    summary = write_told(settings, out, told, open_rumors, max(last_ms - posts.first_ms, 0) / 1000)
    return summary, Resent(posts.resent, changes, again)


def told_of(said: list[tuple[int, Results]], posts: Posts) -> Told:
    """What was said, with the partition of `posts.embedded` that each part is about, and its inputs."""
    waiting = [iter(inputs) for inputs in posts.inputs]
    inputs = [name for of, one in said for name in islice(waiting[of], len(one.assigned))]
    results = [one for _, one in said]
    return Told([*results, Results([], [], [], [], posts.dead)], inputs)


def write_told(
    settings: Settings, out: Path, told: Told, open_rumors: list[RumorDocument], wall_s: float
) -> dict[str, Any]:
    """The files of a replay out of what the folds said; returns the summary."""
    out.mkdir(parents=True, exist_ok=True)
    door = door_for(settings, encoder_for(settings), replay=True)
    totals = Totals(
        progress=_progress(told),
        open_rumors=open_rumors,
        wall_s=wall_s,
        peak_rss_bytes=peak_rss_bytes(),
        settings_sha256=settings.sha256,
        encoder=door.identity,
    )
    return write_files(told, out, totals)


async def read_posts(consumer: Any, topics: Topics) -> Posts:
    """Where the posts came from, what is dead of them, and their frames."""
    names: dict[tuple[int, int], str] = {}
    first_ms = 0
    async for record in records(consumer, topics.posts):
        place = (record.partition, record.offset)
        told = header(record, "input")
        names[place] = told.decode("utf-8", "replace") if told else _place(topics, *place)
        first_ms = min(first_ms or record.timestamp, record.timestamp)
    letters: dict[tuple[int, int], Dead] = {}
    async for record in records(consumer, topics.dead):
        if header(record, "stage") == EMBED.encode():
            partition, _, offset = record.key.decode().partition("/")
            letters[int(partition), int(offset)] = _dead.decode(record.value)
    inputs: list[list[str]] = [[] for _ in range(topics.embedded.partitions)]
    embedded: list[list[Embedded]] = [[] for _ in range(topics.embedded.partitions)]
    last: dict[tuple[int, str], int] = {}
    resent = 0
    async for record in records(consumer, topics.embedded):
        frame = read_embedded(record.value)
        embedded[record.partition].append((record.offset, frame))
        if isinstance(frame, Inherit):
            for origin, done in _done(embedded[frame.parent], frame.end).items():
                last[record.partition, origin] = done
        if not isinstance(frame, Frame):
            continue
        source = (record.partition, _source(frame))
        done = last.get(source, -1)
        offsets = frame.offsets.tolist()
        for offset, kind in zip(offsets, frame.kinds.tolist(), strict=True):
            if offset <= done:
                resent += 1
            elif kind == EntryKind.POST:
                place = (frame.partition, offset)
                inputs[record.partition].append(names.get(place) or _place(topics, *place))
        last[source] = max([done, *offsets])
    dead = [letter for _, letter in sorted(letters.items())]
    return Posts(inputs, dead, embedded, resent, first_ms)


def _source(frame: Frame) -> str:
    return f"{frame.origin}/{frame.partition}"


def _done(log: list[Embedded], end: int) -> dict[str, int]:
    """Last source offset by source in the frames of a partition before `end`."""
    done: dict[str, int] = {}
    for offset, frame in log:
        if offset < end and isinstance(frame, Frame) and len(frame.offsets):
            source = _source(frame)
            done[source] = max(done.get(source, -1), int(frame.offsets[-1]))
    return done


def _place(topics: Topics, partition: int, offset: int) -> str:
    return f"{topics.posts.name}/{partition}/{offset}"


async def _distinct(consumer: Any, topics: Topics) -> tuple[list[Recorded], int, int]:
    """Records of the topic `assignments`, each once; how many stand there again; the last one's time."""
    found: dict[tuple[int, int], Recorded] = {}
    again = last_ms = 0
    async for record in records(consumer, topics.assignments):
        one = decode(record.value, Recorded)
        again += (one.partition, one.sequence) in found
        found.setdefault((one.partition, one.sequence), one)
        last_ms = record.timestamp
    return list(found.values()), again, last_ms


async def inputs_of(consumer: Any, topics: Topics) -> AsyncIterator[tuple[RumorInput, bytes]]:
    """The log `rumors.input` as it stands, resent changes too; damaged records are left out."""
    async for record in records(consumer, topics.changes):
        try:
            yield read_input(record.value or b""), record.value
        except CodecError:
            continue  # the agent buried it


async def _open_rumors(
    consumer: Any, topics: Topics, settings: Settings
) -> tuple[list[RumorDocument], int]:
    """Open rumors at the log's end, out of the log of changes; how many changes stand there again."""
    fold = alert_fold(settings, door_for(settings, encoder_for(settings), replay=True))
    again = 0
    seen: set[tuple[int, int]] = set()
    async for record, _ in inputs_of(consumer, topics):
        if isinstance(record, Change):
            again += (record.partition, record.sequence) in seen
            seen.add((record.partition, record.sequence))
        fold.take(record)
    return fold.open_documents(), again


def _progress(told: Told) -> Progress:
    counts = [0, 0, 0, 0]
    levels = {"suggest": 0, "confirm": 0}
    for result in told.said:
        for assigned in result.assigned:
            counts[assigned.outcome] += 1
        counts[3] += len(result.dead)
        for raised in result.raised:
            levels[raised.level] += 1
    return Progress(sum(counts), *counts, *levels.values())
