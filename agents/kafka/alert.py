"""The alert agent: changes and decisions in, documents out; one fold over one partition, `rumors.input`."""

from __future__ import annotations

import logging
from collections import Counter
from typing import Any, NamedTuple

from agents.kafka.app import Road
from agents.kafka.dead import bury_damaged, readable
from agents.kafka.documents import messages
from agents.kafka.fold import FoldStage, Held
from agents.kafka.producer import Sent, delivered
from agents.kafka.record import record_of
from agents.orders import embedded, order_of
from agents.stages import alert_fold
from alerts import AlertFold
from embeddings.door import Door
from streams.checkpoints import CheckpointStore
from streams.codec import encode, unpack_state
from streams.effects import Effects
from streams.inputs import Action, RumorInput, read_input
from streams.records import Change, Dead, Outcome
from streams.time import NEVER

NAME = "alert"

log = logging.getLogger(__name__)


class AlertState:
    """The fold, and the last change of each cluster partition.

    A change is taken when it is the next one of its partition. One that comes again is skipped; so is
    one before which another is missing: its cluster agent could not deliver the missing one, ended, and
    sends both again.
    """

    def __init__(self, fold: AlertFold) -> None:
        self.fold = fold
        self.taken: dict[int, int] = {}  # partition -> last sequence
        self.unwritten = True  # documents may be due that the log's next records would bring

    def take(self, record: RumorInput) -> Effects | None:
        """None for a change that is skipped."""
        if isinstance(record, Change):
            return self._apply(record)
        self.unwritten = True
        return self.fold.take(record)

    def _apply(self, change: Change) -> Effects | None:
        last = self.taken.get(change.partition)
        if last is not None and change.sequence <= last:
            return None
        if last is not None and change.sequence > last + 1:
            log.warning(
                "change %d of partition %d came before change %d: waiting for both to be sent again",
                change.sequence, change.partition, last + 1,
            )  # fmt: skip
            return None
        self.taken[change.partition] = change.sequence
        self.unwritten = True
        return self.fold.apply(change)

    def snapshot(self) -> dict[str, Any]:
        return {"fold": self.fold.snapshot(), "taken": sorted(self.taken.items())}

    def restore(self, state: dict[str, Any]) -> None:
        self.fold.restore(state["fold"])
        self.taken = dict(state["taken"])


class AlertStage(FoldStage):
    def __init__(
        self, road: Road, door: Door, checkpoints: CheckpointStore, *, record: bool
    ) -> None:
        super().__init__(road, NAME, road.topics.changes, checkpoints)
        self._door = door
        self._record = record
        self._counted = -1  # version of the fold up to which the metrics have counted
        self._settings_version = ""  # that the metrics tell
        self._idle_at = -1  # place in the log at the last checkpoint

    def new_state(self, partition: int) -> AlertState:
        return AlertState(alert_fold(self.road.settings, self._door))

    async def take_records(self, held: Held, records: list[Any]) -> None:
        state: AlertState = held.state
        if self._counted < 0:
            self._counted = state.fold.version
        done = await self.lane.run(_apply, state, records, self._door, self._record)
        await self.send(held, lambda: self._sending(done))
        self._count([effects for effects, version in done.applied if version > self._counted])
        self._counted = max(self._counted, state.fold.version)
        self.road.metrics.open_rumors.set(state.fold.open_rumors)
        self.road.metrics.waiting.set(state.fold.waiting)
        if state.fold.settings_version != self._settings_version:
            self._settings_version = state.fold.settings_version
            self.road.metrics.tell_settings(self._settings_version)
        if state.fold.watermark != NEVER:
            self.road.metrics.watermark.labels(NAME).set(state.fold.watermark / 1000)

    async def _sending(self, done: Done) -> list[Sent]:
        topics, producer = self.road.topics, self.road.producer
        sent = await producer.send_all(topics.alerts, done.documents)
        sent += await producer.send_all(topics.assignments, [(None, one) for one in done.recorded])
        for order in done.orders:
            for partition in range(topics.embedded.partitions):
                sent.append(await producer.send(topics.embedded, order, partition=partition))
        return sent + await bury_damaged(self.road, NAME, done.damaged)

    def _count(self, new: list[Effects]) -> None:
        metrics = self.road.metrics
        outcomes = Counter(assigned.outcome for effects in new for assigned in effects.assigned)
        outcomes[Outcome.DEAD] += sum(effects.dead for effects in new)
        for outcome, posts in outcomes.items():
            if posts:
                metrics.posts.labels(Outcome(outcome).name.lower()).inc(posts)
        for effects in new:
            for raised in effects.raised:
                metrics.alerts.labels(raised.level, raised.category or "").inc()

    async def after_checkpoint(self, held: Held, blob: bytes, *, releasing: bool) -> bool:
        """Documents that wait for more log or time are written when no more of it comes.

        They come out of a copy of the fold, so that its own course depends on the log alone; what it
        writes later has higher versions.
        """
        state: AlertState = held.state
        idle = self._idle_at == held.next
        self._idle_at = held.next
        if not state.unwritten:
            return True
        if not (idle or releasing):
            return False
        values = await self.lane.run(self._waiting, blob)
        await delivered(await self.road.producer.send_all(self.road.topics.alerts, values))
        state.unwritten = False
        return True

    def _waiting(self, blob: bytes) -> list[tuple[bytes, bytes]]:
        copy = self.new_state(0)
        copy.restore(unpack_state(blob))
        return list(messages(copy.fold.flush()))


class Done(NamedTuple):
    """What the records of a delivery brought about."""

    applied: list[tuple[Effects, int]]  # and the version of the fold after them
    documents: list[tuple[bytes, bytes]]  # key and message, the newest of each
    recorded: list[bytes]
    orders: list[bytes]  # to the cluster folds
    damaged: list[tuple[str, Dead]]  # messages that cannot be read


def _apply(state: AlertState, records: list[Any], door: Door, record_all: bool) -> Done:
    done = Done([], [], [], [], [])
    readable_ones = list(readable(records, read_input, done.damaged))
    state.fold.expect(readable_ones)
    for record in readable_ones:
        effects = state.take(record)
        if effects is None:
            continue
        version = state.fold.version
        done.applied.append((effects, version))
        if record_all:
            done.recorded.append(encode(record_of(record, effects, version)))
        if isinstance(record, Action) and (order := order_of(record, effects.moved)):
            done.orders.append(encode(embedded(order, door)))
    done.documents.extend(messages(*(effects.batch for effects, _ in done.applied)))
    return done
