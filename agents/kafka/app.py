"""One stage as one Faust app with one agent: what it reads, how it acknowledges, how it ends.

A stage has a consumer group of its own, `GROUP.STAGE`, so that workers with different stages share the
work, and one that joins for a stage does not disturb the others.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import faust
from faust.types import TP
from mode.supervisors import CrashingSupervisor

from agents.kafka.metrics import Metrics
from agents.kafka.producer import Producer
from config import Settings
from streams.broker import Broker
from streams.faust_transport import before_release, consumer_url
from streams.topics import Topic, Topics

log = logging.getLogger(__name__)

BUFFERED = 4
"""Deliveries that wait for an agent; one holds at most about 1 MiB."""

RELEASE_EVERY_S = 0.1
"""How often a stage on Faust's own transport is asked to save while it stops."""

METADATA_MS = 3_000
"""How soon a topic that was made after the start is seen."""

COMMIT_S = 0.5


class Road(NamedTuple):
    """What the stages of one worker share."""

    settings: Settings
    broker: Broker
    topics: Topics
    producer: Producer
    metrics: Metrics
    failed: Callable[[BaseException], None]  # ends the worker


def group_of(settings: Settings, stage: str) -> str:
    """The consumer group of a stage."""
    return f"{settings.worker.group}.{stage}"


def new_app(road: Road, stage: str, folder: Path) -> Any:
    """A Faust app with the settings that held up in measurements."""
    folder.mkdir(parents=True, exist_ok=True)
    worker = road.settings.worker
    addresses = road.broker.bootstrap.split(",")
    instance = f"{worker.instance_id}.{stage}" if worker.instance_id else None
    batched = worker.transport == "batched"
    return faust.App(
        group_of(road.settings, stage),
        broker=[f"kafka://{address}" for address in addresses],
        broker_consumer=[consumer_url(a) if batched else f"kafka://{a}" for a in addresses],
        broker_credentials=_credentials(road.broker),
        store="memory://",
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        stream_wait_empty=True,
        stream_buffer_maxsize=BUFFERED if batched else worker.fetch_records,
        broker_commit_interval=COMMIT_S,
        broker_session_timeout=worker.session_s,
        broker_heartbeat_interval=worker.session_s / 6,
        broker_request_timeout=max(20.0, worker.session_s + 5),
        broker_max_poll_records=worker.fetch_records,
        consumer_auto_offset_reset="earliest",
        consumer_metadata_max_age_ms=METADATA_MS,
        consumer_group_instance_id=instance,
        datadir=str(folder / stage),  # made by Faust for its tables, whether there are any or not
        autodiscover=False,
        set_as_current=False,
    )


def _credentials(broker: Broker) -> Any:
    context = broker.ssl_context()
    if broker.sasl:
        return faust.SASLCredentials(
            mechanism=broker.mechanism,
            username=broker.username,
            password=broker.password,
            ssl_context=context,
        )
    return faust.SSLCredentials(context) if context is not None else None


class Record(NamedTuple):
    """A message as Faust's own transport hands it over, in the shape of a consumer record."""

    topic: str
    partition: int
    offset: int
    timestamp: int  # ms
    key: bytes | None
    value: bytes | None
    headers: Any  # pairs of name and bytes


class Delivery:
    """Records of one partition that are acknowledged together."""

    __slots__ = ("acked", "message", "origin", "value")

    def __init__(self, event: Any, *, batched: bool) -> None:
        self.acked = False
        self.origin = event
        self.message = m = event.message
        self.value: list[Any] = (
            event.value
            if batched
            else [
                Record(
                    m.topic, m.partition, m.offset, round(m.timestamp * 1000), m.key, m.value,
                    m.headers or (),
                )
            ]
        )  # fmt: skip


class Stage:
    """Reads one topic. A subclass says in `take` what it does with a delivery, and acknowledges it."""

    def __init__(self, road: Road, name: str, topic: Topic) -> None:
        self.road = road
        self.name = name
        self.topic = topic
        self.app = new_app(road, name, road.settings.state_dir / "faust")
        self._stream: Any = None
        self._tasks: list[asyncio.Task[None]] = []
        source = self.app.topic(topic.name, key_serializer="raw", value_serializer="raw")
        self.app.agent(source, name=name, supervisor_strategy=CrashingSupervisor)(self._agent())
        self._batched = road.settings.worker.transport == "batched"
        self._in_order: defaultdict[int, deque[Delivery]] = defaultdict(deque)
        if self._batched:
            before_release(self.app, self.release)

    def _agent(self) -> Callable[[Any], Awaitable[None]]:
        async def read(stream: Any) -> None:
            self._stream = stream
            async for event in stream.noack().events():
                delivery = Delivery(event, batched=self._batched)
                if not self._batched:
                    self._keep_order(delivery)
                try:
                    await self.take(delivery)
                except Exception as error:
                    self.road.failed(error)
                    raise
                del event, delivery  # an unacknowledged event that is referenced holds up the stop

        return read

    async def take(self, event: Delivery) -> None:
        """Work on a delivery: `event.value` is a list of consumer records of one partition."""
        raise NotImplementedError

    async def release(self) -> None:
        """Make durable what was taken in, and acknowledge it: partitions may go to another worker."""

    def _keep_order(self, delivery: Delivery) -> None:
        waiting = self._in_order[delivery.message.partition]
        while waiting and waiting[0].message.generation_id != delivery.message.generation_id:
            waiting.popleft()  # of before a rebalance: it comes again
        waiting.append(delivery)

    async def ack(self, event: Delivery) -> None:
        event.acked = True
        if self._batched:
            await self._stream.ack(event.origin)
            return
        # Faust's own transport commits past what is acknowledged out of order.
        waiting = self._in_order[event.message.partition]
        while waiting and waiting[0].acked:
            await self._stream.ack(waiting.popleft().origin)

    def background(self, work: Callable[[], Awaitable[None]]) -> None:
        """Run beside the agent until the stage stops; an error ends the worker."""

        async def guarded() -> None:
            try:
                await work()
            except asyncio.CancelledError:
                raise
            except Exception as error:
                self.road.failed(error)

        self._tasks.append(asyncio.ensure_future(guarded()))

    def promised(self, work: Awaitable[None]) -> asyncio.Future[None]:
        """Work that somebody waits for later; its error ends the worker at once."""

        def done(task: asyncio.Future[None]) -> None:
            if not task.cancelled() and (error := task.exception()) is not None:
                self.road.failed(error)

        task = asyncio.ensure_future(work)
        task.add_done_callback(done)
        return task

    def quieten(self) -> None:
        """Put nothing new on the road: a stop begins."""

    async def start(self) -> None:
        self.app.finalize()
        self.app.client_only = False
        await self.app.start()

    async def stop(self) -> None:
        """Save, acknowledge, commit, leave the group."""
        self.quieten()
        stopping = asyncio.ensure_future(self.app.stop())
        while not self._batched and not stopping.done():
            await self.release()  # Faust's own transport asks for none
            await asyncio.wait({stopping}, timeout=RELEASE_EVERY_S)
        await stopping
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def crash(self) -> BaseException | None:
        """Why Faust gave up, if it did."""
        reason = self.app.crash_reason
        return reason if self.app.crashed and isinstance(reason, BaseException) else None

    def assigned(self) -> set[int]:
        """Partitions of the stage's topic that this worker holds."""
        try:
            found: set[TP] = self.app.consumer.assignment()
        except Exception:  # before the first join there is no consumer thread to ask
            return set()
        return {tp.partition for tp in found if tp.topic == self.topic.name}

    async def lag(self) -> dict[int, int]:
        """Records per partition that are not acknowledged and committed yet.

        The ends are asked from the broker: the client's own idea of them goes stale when it stops
        fetching (see `docs/worker.md`).
        """
        held = [TP(self.topic.name, partition) for partition in sorted(self.assigned())]
        if not held:
            return {}
        consumer = self.app.consumer
        ends = await consumer.highwaters(*held)
        lag = {}
        for tp in held:
            done = consumer._committed_offset.get(tp)  # no public name; pinned with the transport
            lag[tp.partition] = max(int(ends.get(tp) or 0) - int(done or 0), 0)
        return lag
