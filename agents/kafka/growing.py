"""More partitions of `posts.embedded`: each new one begins with what the partition knew whose cells it takes.

The workers stand still meanwhile. Begun and broken off, it is finished by the same call again: states are
saved before the partitions are made, and the record that names a partition's parent comes last.
"""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from kafka.admin import NewPartitions
from kafka.errors import KafkaError

from agents.kafka.app import group_of
from agents.kafka.cluster import NAME as CLUSTER
from agents.kafka.cluster import ClusterState
from agents.kafka.embed import NAME as EMBED
from agents.kafka.logs import reader
from agents.kafka.producer import Producer, delivered
from agents.stages import cluster_fold, door_for, encoder_for
from clusters.heir import heir
from config import Settings
from embeddings.door import Door
from streams.broker import Broker, BrokerError
from streams.checkpoints import CheckpointStore
from streams.codec import encode, pack_state, unpack_state
from streams.inputs import Inherit, read_embedded
from streams.topics import Topics, partitions_of


class GrowError(Exception):
    """The partitions cannot be added; one line with the mend."""

    exit_code = 1


class Grown(NamedTuple):
    before: int
    after: int
    begun: int  # partitions whose first record was written by this call


BEFORE_THE_LOG = -1
"""Offset that a heir's first checkpoint covers."""


def grow(settings: Settings, partitions: int, store: CheckpointStore) -> Grown:
    """Have `posts.embedded` in `partitions`, a multiple of what it has.

    Raises GrowError, BrokerError, CheckpointError.
    """
    broker, topics = Broker(settings), Topics(settings)
    broker.wait()
    before = partitions_of(broker, topics.embedded)
    if partitions < before or partitions % before:
        raise GrowError(
            f"{topics.embedded.name} has {before} partitions: give a multiple of that, not {partitions}"
        )
    _refuse_workers(settings, broker)
    return asyncio.run(_Growing(settings, broker, topics, store).run(before, partitions))


def _refuse_workers(settings: Settings, broker: Broker) -> None:
    with broker.admin() as admin:
        for stage in (EMBED, CLUSTER):
            group = group_of(settings, stage)
            try:
                members = len(admin.describe_groups([group])[group]["members"])
            except KafkaError as error:
                raise BrokerError(f"the group {group} at {broker.bootstrap}: {error}") from error
            if members:
                raise GrowError(
                    f"{members} workers are in the group {group}: stop them, call this again, then start "
                    "them with the new kafka.embedded_partitions"
                )


class _Growing:
    def __init__(
        self, settings: Settings, broker: Broker, topics: Topics, store: CheckpointStore
    ) -> None:
        self._settings = settings
        self._broker = broker
        self._topic = topics.embedded
        self._store = store
        self._door: Door = door_for(settings, encoder_for(settings), replay=True)

    async def run(self, before: int, after: int) -> Grown:
        await self._store.start()
        producer = Producer(self._broker)
        await producer.start()
        try:
            async with reader(self._broker) as consumer:
                if after > before:
                    for parent in range(before):
                        await self._hand_on(consumer, parent, range(parent + before, after, before))
                    with self._broker.admin() as admin:
                        admin.create_partitions({self._topic.name: NewPartitions(after)})
                begun = await self._begin(consumer, producer, after)
        finally:
            await producer.stop()
            await self._store.stop()
        return Grown(before, after, begun)

    async def _hand_on(self, consumer: AIOKafkaConsumer, parent: int, heirs: range) -> None:
        """Save the state at the end of the parent's log as the heirs' beginning."""
        found = await self._store.load(CLUSTER, parent)
        state = self._state(parent)
        at = 0
        if found is not None:
            state.restore(unpack_state(found.blob))
            at = found.offset + 1
        end = at
        async for record in _from(consumer, TopicPartition(self._topic.name, parent), at):
            state.take(read_embedded(record.value))  # its changes are the parent's own to send
            end = record.offset + 1
        for partition in heirs:
            await self._store.load(CLUSTER, partition)
            begun = {**heir(state.fold.snapshot(), partition), "inherited": (parent, end)}
            await self._store.save(CLUSTER, partition, BEFORE_THE_LOG, pack_state(begun))

    async def _begin(self, consumer: AIOKafkaConsumer, producer: Producer, partitions: int) -> int:
        """Write the first record of each partition that has inherited and is empty."""
        begun = 0
        for partition in range(partitions):
            place = TopicPartition(self._topic.name, partition)
            consumer.assign([place])
            if (await consumer.end_offsets([place]))[place]:
                continue
            found = await self._store.load(CLUSTER, partition)
            inherited = None if found is None else unpack_state(found.blob).get("inherited")
            if inherited is not None:
                record = encode(Inherit(parent=inherited[0], end=inherited[1]))
                await delivered([await producer.send(self._topic, record, partition=partition)])
                begun += 1
        return begun

    def _state(self, partition: int) -> ClusterState:
        return ClusterState(cluster_fold(self._settings, self._door, partition))


async def _from(consumer: AIOKafkaConsumer, place: TopicPartition, at: int) -> Any:
    """Records of a partition from an offset to where it ends now. Raises GrowError for a lost beginning."""
    consumer.assign([place])
    end = (await consumer.end_offsets([place]))[place]
    beginning = (await consumer.beginning_offsets([place]))[place]
    if at < beginning:
        raise GrowError(
            f"{place.topic}, partition {place.partition}: the checkpoint ends before offset {at}, the log "
            f"begins at {beginning}: let the workers save their state first"
        )
    consumer.seek(place, at)
    while await consumer.position(place) < end:
        for record in (await consumer.getmany(place, timeout_ms=500)).get(place, ()):
            if record.offset < end:
                yield record
