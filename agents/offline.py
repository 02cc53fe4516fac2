"""An offline fold of the logs on Kafka: what the workers should have said, whatever happened to them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from agents.kafka.alert import AlertState
from agents.kafka.cluster import ClusterState
from agents.kafka.logs import reader
from agents.recorded import Posts, inputs_of, read_posts, told_of, write_told
from agents.stages import alert_fold, cluster_fold, door_for, encoder_for
from agents.told import Results
from clusters.heir import heir
from config import Settings
from stores import Store
from streams.broker import Broker
from streams.codec import encode
from streams.inputs import Inherit, RumorInput
from streams.records import Change
from streams.topics import Topics

Place = tuple[int, int]  # partition and sequence number of a change


class Comparison(NamedTuple):
    """The log of changes against what the folds of the frames give."""

    changes: int
    missing: list[Place]
    different: list[Place]  # their bytes are not those of the fold
    unknown: list[Place]  # in the log, and not out of the fold


def write_offline(
    settings: Settings, out: Path, store: Store | None = None
) -> tuple[dict[str, Any], Comparison]:
    """Fold the logs from their beginning and write the files of a replay; returns the summary.

    `store` is given every document that the folds write. Raises BrokerError, CodecError, WrongEncoder,
    StoreError.
    """
    posts, logged = asyncio.run(_read(settings))
    door = door_for(settings, encoder_for(settings), replay=True)
    folded: dict[Place, Change] = {}

    def state_of(partition: int, end: int | None = None) -> ClusterState:
        """Of a partition's log, up to an offset; notes its changes."""
        state = ClusterState(cluster_fold(settings, door, partition))
        for offset, record in posts.embedded[partition]:
            if end is not None and offset >= end:
                break
            if isinstance(record, Inherit):
                known = state_of(record.parent, record.end).fold.snapshot()
                state.restore({**heir(known, partition), "inherited": (record.parent, record.end)})
            for change in state.take(record):
                folded[partition, change.sequence] = change
        return state

    for partition in range(len(posts.embedded)):
        state_of(partition)
    state = AlertState(alert_fold(settings, door))
    comparison = _compare(folded, logged)
    said: list[tuple[int, Results]] = []
    for one in _in_order(folded, logged, comparison):
        effects = state.take(one)
        if effects is None:
            continue
        partition = one.partition if isinstance(one, Change) else 0
        e = effects
        said.append((partition, Results(e.assigned, e.merged, e.raised, e.closed, [], e.moved)))
        if store is not None:
            store.write(effects.batch)
    open_rumors = state.fold.open_documents()
    if store is not None:
        store.write(state.fold.flush())
    return write_told(settings, out, told_of(said, posts), open_rumors, 0.0), comparison


async def _read(settings: Settings) -> tuple[Posts, list[tuple[RumorInput, bytes]]]:
    topics = Topics(settings)
    async with reader(Broker(settings)) as consumer:
        posts = await read_posts(consumer, topics)
        return posts, [one async for one in inputs_of(consumer, topics)]


def _compare(folded: dict[Place, Change], logged: list[tuple[RumorInput, bytes]]) -> Comparison:
    found: dict[Place, set[bytes]] = {}
    for record, message in logged:
        if isinstance(record, Change):
            found.setdefault((record.partition, record.sequence), set()).add(message)
    return Comparison(
        len(folded),
        missing=sorted(folded.keys() - found.keys()),
        different=sorted(
            p for p in folded.keys() & found.keys() if found[p] != {encode(folded[p])}
        ),
        unknown=sorted(found.keys() - folded.keys()),
    )


def _in_order(
    folded: dict[Place, Change], logged: list[tuple[RumorInput, bytes]], comparison: Comparison
) -> Iterator[RumorInput]:
    """What the fold of the frames gives, at the places of the log; what the log lacks comes last."""
    for record, _ in logged:
        if not isinstance(record, Change):
            yield record
        elif (record.partition, record.sequence) in folded:
            yield folded[record.partition, record.sequence]
    for place in comparison.missing:
        yield folded[place]
