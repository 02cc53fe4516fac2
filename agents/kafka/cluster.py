"""The cluster agent: frames in, changes out. One fold for each partition of `posts.embedded`."""

from __future__ import annotations

import logging
from typing import Any

from agents.kafka.app import Road
from agents.kafka.dead import bury, readable
from agents.kafka.fold import FoldStage, Held, State
from agents.kafka.producer import delivered
from agents.stages import cluster_fold
from clusters import ClusterFold
from embeddings.door import Door
from streams.checkpoints import CheckpointStore
from streams.codec import encode
from streams.inputs import read_embedded
from streams.records import Dead
from streams.time import NEVER

NAME = "cluster"

log = logging.getLogger(__name__)


class ClusterStage(FoldStage):
    def __init__(self, road: Road, door: Door, checkpoints: CheckpointStore) -> None:
        super().__init__(road, NAME, road.topics.embedded, checkpoints)
        self._door = door

    def new_state(self, partition: int) -> State:
        return cluster_fold(self.road.settings, self._door, partition)

    async def take_records(self, held: Held, records: list[Any]) -> None:
        fold: ClusterFold = held.state
        changes, damaged = await self.lane.run(_fold, fold, records)
        sent = [await self.road.producer.send(self.road.topics.changes, one) for one in changes]
        for key, letter in damaged:
            log.error("%s is damaged: %s", key, letter.detail)
            sent.append(await bury(self.road, NAME, key, letter))
        await delivered(sent)
        partition = str(records[0].partition)
        self.road.metrics.micro_clusters.labels(partition).set(fold.active)
        if fold.watermark != NEVER:
            self.road.metrics.watermark.labels(NAME).set(fold.watermark / 1000)


def _fold(fold: ClusterFold, records: list[Any]) -> tuple[list[bytes], list[tuple[str, Dead]]]:
    """Messages of the changes that fell due, and the frames that cannot be read."""
    changes: list[bytes] = []
    damaged: list[tuple[str, Dead]] = []
    for record in readable(records, read_embedded, damaged):
        changes += [encode(change) for change in fold.take(record)]
    return changes, damaged
