"""The cluster agent: frames in, changes out. One fold for each partition of `posts.embedded`."""

from __future__ import annotations

from typing import Any

from agents.kafka.app import Road
from agents.kafka.dead import bury_damaged, readable
from agents.kafka.fold import FoldStage, Held, State
from agents.kafka.producer import Sent
from agents.stages import cluster_fold
from clusters import ClusterFold
from embeddings.door import Door
from streams.checkpoints import CheckpointStore
from streams.codec import encode
from streams.inputs import EmbeddedRecord, Inherit, read_embedded
from streams.records import Change, Dead
from streams.time import NEVER

NAME = "cluster"


class LostInheritance(Exception):
    """A partition that was added has not the state that it began with; one line with the mend."""

    exit_code = 1


class ClusterState:
    """The fold, and what its partition took over when it was added: parent and end of its log then."""

    def __init__(self, fold: ClusterFold, inherited: tuple[int, int] | None = None) -> None:
        self.fold = fold
        self.inherited = inherited

    def take(self, record: EmbeddedRecord) -> list[Change]:
        """Raises LostInheritance, WrongEncoder."""
        if not isinstance(record, Inherit):
            return self.fold.take(record)
        if self.inherited != (record.parent, record.end):
            raise LostInheritance(
                f"this partition of posts.embedded goes on from partition {record.parent} at offset "
                f"{record.end}, and the checkpoint with that state is gone: restore the checkpoints, or "
                "begin anew under another kafka.prefix"
            )
        return []

    def snapshot(self) -> dict[str, Any]:
        return {**self.fold.snapshot(), "inherited": self.inherited}

    def restore(self, state: dict[str, Any]) -> None:
        self.fold.restore(state)
        inherited = state.get("inherited")  # states before partitions could be added have none
        self.inherited = None if inherited is None else (inherited[0], inherited[1])


class ClusterStage(FoldStage):
    def __init__(self, road: Road, door: Door, checkpoints: CheckpointStore) -> None:
        super().__init__(road, NAME, road.topics.embedded, checkpoints)
        self._door = door

    def new_state(self, partition: int) -> State:
        return ClusterState(cluster_fold(self.road.settings, self._door, partition))

    async def take_records(self, held: Held, records: list[Any]) -> None:
        state: ClusterState = held.state
        fold = state.fold
        changes, damaged = await self.lane.run(_fold, state, records)
        await self.send(held, lambda: self._sending(changes, damaged))
        partition = str(records[0].partition)
        self.road.metrics.micro_clusters.labels(partition).set(fold.active)
        if fold.watermark != NEVER:
            self.road.metrics.watermark.labels(NAME).set(fold.watermark / 1000)

    async def _sending(self, changes: list[bytes], damaged: list[tuple[str, Dead]]) -> list[Sent]:
        send, topic = self.road.producer.send, self.road.topics.changes
        sent = [await send(topic, one) for one in changes]
        return sent + await bury_damaged(self.road, NAME, damaged)


def _fold(state: ClusterState, records: list[Any]) -> tuple[list[bytes], list[tuple[str, Dead]]]:
    """Messages of the changes that fell due, and the frames that cannot be read."""
    changes: list[bytes] = []
    damaged: list[tuple[str, Dead]] = []
    for record in readable(records, read_embedded, damaged):
        changes += [encode(change) for change in state.take(record)]
    return changes, damaged
