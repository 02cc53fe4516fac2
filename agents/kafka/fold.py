"""What the two folds have in common as agents: state with its place in the log, checkpoint, then acknowledge.

The state of a partition is tagged with the generation of the consumer group in which it was loaded. A
delivery of another generation has it loaded anew: another worker may have gone further meanwhile. No
signal of the client library is needed for that, and none comes in time.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Protocol

from faust.types import TP

from agents.kafka.app import Delivery, Road, Stage
from agents.kafka.lane import Lane
from agents.kafka.producer import Sent, delivered
from streams.checkpoints import CheckpointStore, Fenced
from streams.codec import CodecError, pack_state, unpack_state
from streams.faust_transport import fetched_before_seek
from streams.topics import Topic

log = logging.getLogger(__name__)

CHECKPOINT_SHARE = 0.03
"""Part of the time that checkpoints may take at most: those of a large state come less often."""


class LogGap(Exception):
    """Records that the fold still needs are gone; one line with the mend."""

    exit_code = 1


class State(Protocol):
    """The state of one partition."""

    def snapshot(self) -> dict[str, Any]: ...

    def restore(self, state: dict[str, Any]) -> None: ...


def restored(state: State, blob: bytes, name: str, partition: int) -> None:
    """Take up a checkpoint. Raises LogGap for one that is damaged or of another version."""
    try:
        state.restore(unpack_state(blob))
    except CodecError as error:
        raise LogGap(
            f"the checkpoint of {name}, partition {partition}, cannot be used ({error}): run the "
            "program that wrote it, or delete it; the fold then begins at the log's beginning"
        ) from error


class Pace:
    """How soon the next checkpoint may come.

    The middle one of the last three counts: one that waited for a broker to come back would put the next one
    off for as long as a large state does, half an hour for a minute.
    """

    def __init__(self) -> None:
        self._costs = deque([0.0] * 3, maxlen=3)  # seconds

    def note(self, seconds: float) -> None:
        self._costs.append(seconds)

    @property
    def least(self) -> float:
        """Seconds from one checkpoint to the next, at least."""
        return sorted(self._costs)[1] / CHECKPOINT_SHARE


class Held:
    """A partition's state, its place in the log, and the deliveries that no checkpoint covers yet."""

    def __init__(self, state: Any, next_offset: int, generation: int) -> None:
        self.state = state
        self.next = next_offset
        self.generation = generation
        self.pending: list[Delivery] = []
        self.saved = next_offset  # `next` at the last checkpoint
        self.whole = True  # False while a delivery is half folded
        self.sought = False  # the log is read again from `next`
        self.settled = False  # a delivery was found at `next`: gaps behind it are the log's own
        self.under_way: asyncio.Future[None] | None = None  # what came of the last delivery

    async def arrived(self) -> None:
        """Until all that came of the state so far is in the logs. Raises what kept it out."""
        if self.under_way is not None:
            await asyncio.shield(self.under_way)
            self.under_way = None


class FoldStage(Stage):
    """A fold per partition. A subclass makes the state and takes records."""

    def __init__(self, road: Road, name: str, topic: Topic, checkpoints: CheckpointStore) -> None:
        super().__init__(road, name, topic)
        self._checkpoints = checkpoints
        self._held: dict[int, Held] = {}
        self._lock = asyncio.Lock()
        self._pace = Pace()
        self._since = 0  # records taken since then
        self._due = asyncio.Event()  # so many that the next checkpoints should come
        self.lane = Lane(name)

    def new_state(self, partition: int) -> State:
        """The state before the first record."""
        raise NotImplementedError

    async def take_records(self, held: Held, records: list[Any]) -> None:
        """Fold records in order and `send` what comes of them; it is delivered while the next are folded."""
        raise NotImplementedError

    async def send(self, held: Held, sending: Callable[[], Awaitable[list[Sent]]]) -> None:
        """Hand messages over once all earlier ones are in the logs: none overtakes one that fails.

        Handing over waits too, where there is more than fits into a request.
        """

        async def deliver() -> None:
            await delivered(await sending())

        await held.arrived()
        held.under_way = self.promised(deliver())

    async def after_checkpoint(self, held: Held, blob: bytes, *, releasing: bool) -> bool:
        """What remains to be done at a checkpoint; False while the newest delivery must stay open."""
        return True

    async def start(self) -> None:
        await super().start()
        self.background(self._save_in_time)

    async def take(self, event: Delivery) -> None:
        async with self._lock:
            partition = event.message.partition
            held = await self._holding(partition, event.message.generation_id)
            if not held.settled and await self._elsewhere(event, held):
                await self.ack(event)  # from before a seek: it only lets go of the delivery
                return
            held.settled = True
            fresh = [record for record in event.value if record.offset >= held.next]
            if fresh:
                held.whole = False  # and so it stays if this is cancelled or fails
                with self.road.metrics.timed(self.name):
                    await self.take_records(held, fresh)
                held.next = fresh[-1].offset + 1
                held.whole = True
                self._note_taken(len(fresh))
                self.road.metrics.records.labels(self.name).inc(len(fresh))
                age = time.time() - fresh[0].timestamp / 1000
                self.road.metrics.age_seconds.labels(self.name).observe(max(age, 0.0))
            event.value.clear()  # of the delivery only its place is needed from here on
            held.pending.append(event)

    def _note_taken(self, records: int) -> None:
        self._since += records
        if self._since >= self.road.settings.worker.checkpoint_records:
            self._due.set()

    async def _holding(self, partition: int, generation: int) -> Held:
        held = self._held.get(partition)
        if held is not None and held.generation == generation:
            return held
        if held is not None:
            await self._drop(partition)
        state = self.new_state(partition)
        damaged = self._checkpoints.damaged
        found = await self._checkpoints.load(self.name, partition)
        if damaged := self._checkpoints.damaged - damaged:
            self.road.metrics.checkpoints_damaged.labels(self.name).inc(damaged)
            log.error(
                "%s: the newest checkpoint of partition %d is damaged, went back to the one before: "
                "see to the disk or the topic that keeps it", self.name, partition,
            )  # fmt: skip
        if found is not None:
            await self.lane.run(restored, state, found.blob, self.name, partition)
        at = 0 if found is None else found.offset + 1
        log.info("%s: partition %d from offset %d", self.name, partition, at)
        held = self._held[partition] = Held(state, at, generation)
        return held

    async def _elsewhere(self, event: Delivery, held: Held) -> bool:
        """Whether a first delivery begins behind the place that the state reaches.

        The log is then read again from there, once: a gap that remains is the log's own.
        """
        partition, found = event.message.partition, event.value[0].offset
        if found <= held.next:
            return False
        if held.sought:
            return fetched_before_seek(self.app, event.origin)
        tp = TP(self.topic.name, partition)
        beginning = (await self.app.consumer.earliest_offsets(tp))[tp]
        if held.next < beginning:
            if held.next > 0:
                raise LogGap(
                    f"{self.topic.name}, partition {partition}: the checkpoint ends before offset "
                    f"{held.next}, the log begins at {beginning}; raise kafka.retention_h, and delete "
                    "the checkpoints to begin anew"
                )
            held.next = held.saved = beginning
            if found == beginning:
                return False
        if not self._batched:
            raise LogGap(
                f"{self.topic.name}, partition {partition}: the checkpoint ends before offset "
                f"{held.next}, the group is at {found}: only worker.transport `batched` goes back"
            )
        log.warning("%s: partition %d goes back to offset %d", self.name, partition, held.next)
        await self.app.consumer.seek(tp, held.next)
        held.sought = True
        return True

    async def _drop(self, partition: int) -> None:
        """Forget a state that is another worker's by now; its deliveries are not ours to commit."""
        held = self._held.pop(partition)
        for event in held.pending:
            await self.ack(event)

    async def _save_in_time(self) -> None:
        """After `checkpoint_s`, or so many records, and never sooner than the last one's cost allows."""
        every = self.road.settings.worker.checkpoint_s
        while True:
            least = self._pace.least
            await asyncio.sleep(least)
            with suppress(TimeoutError):
                async with asyncio.timeout(max(every - least, 0.0)):
                    await self._due.wait()
            await self.save(releasing=False)

    async def release(self) -> None:
        await self.save(releasing=True)

    async def save(self, *, releasing: bool) -> None:
        """Write checkpoints of what was folded since the last ones, and acknowledge it."""
        async with self._lock:
            started = time.monotonic()
            self._since = 0
            self._due.clear()
            for partition, held in list(self._held.items()):
                if held.generation != self.app.consumer_generation_id:
                    await self._drop(partition)
                elif held.pending and held.whole:
                    await self._save(partition, held, releasing)
            self._pace.note(time.monotonic() - started)

    async def _save(self, partition: int, held: Held, releasing: bool) -> None:
        started = time.monotonic()
        blob = await self.lane.run(lambda: pack_state(held.state.snapshot()))
        await held.arrived()
        metrics, labels = self.road.metrics, (self.name, str(partition))
        if held.next != held.saved:
            try:
                await self._checkpoints.save(self.name, partition, held.next - 1, blob)
            except Fenced as error:
                log.warning("%s: %s", self.name, error)
                self._held.pop(partition)
                return
            metrics.checkpoint_time.labels(*labels).set_to_current_time()
            metrics.checkpoint_bytes.labels(*labels).set(len(blob))
        done = await self.after_checkpoint(held, blob, releasing=releasing)
        held.saved = held.next
        open_ones = [] if done else held.pending[-1:]
        acknowledged, held.pending = held.pending[: len(held.pending) - len(open_ones)], open_ones
        for event in acknowledged:
            await self.ack(event)
        metrics.checkpoint_seconds.labels(self.name).observe(time.monotonic() - started)
