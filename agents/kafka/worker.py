"""One worker: the stages that it was asked for, between its start and its clean end."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from aiokafka.errors import KafkaError

from agents.kafka.alert import AlertStage
from agents.kafka.app import Road, Stage
from agents.kafka.cluster import ClusterStage
from agents.kafka.embed import EmbedStage
from agents.kafka.index import IndexStage
from agents.kafka.metrics import Metrics
from agents.kafka.producer import DELIVERY_MS, Producer
from agents.kafka.ticker import send_ticks
from agents.memory import collect_rarely, collect_young
from agents.stages import door_for, encoder_for
from config import Settings
from embeddings.door import Door
from stores import Store, open_store
from streams.broker import Broker, BrokerError
from streams.checkpoints import CheckpointStore
from streams.checkpoints.disk import DiskCheckpoints
from streams.checkpoints.kafka import KafkaCheckpoints
from streams.topics import Topics, ensure, other_settings, topic_id

log = logging.getLogger(__name__)

CLIENTS = ("aiokafka", "faust", "mode")
"""Loggers of the client libraries, whose threads may outlast the worker for a moment."""

STAGES = ("embed", "cluster", "alert", "index")

STOP_S = 4.5
"""A clean end takes at most this long; what is not acknowledged then is done again by the next worker."""

LAST_RESORT_S = 4.9
WATCH_S = 0.2
LAG_S = 5.0
"""Seconds between two looks at the lag; each asks the broker, 2 to 9 ms."""

AWAY_S = DELIVERY_MS / 1000
"""Seconds without an answer of the broker after which the worker ends, whatever its stages wait for: a
client tries to connect for ever, some thousand times a second."""


class WorkerError(Exception):
    """The worker cannot start or go on; one line with the mend."""

    exit_code = 1


def run(settings: Settings, names: Sequence[str]) -> None:
    """Run stages until SIGTERM or SIGINT. Raises what ended the worker otherwise."""
    broker = Broker(settings)
    broker.wait()
    topics = Topics(settings)
    ensure(broker, topics, topics.all())
    for line in other_settings(broker, topics.all()):
        log.warning("%s: alter the topic if that is not meant", line)
    origin = topic_id(broker, topics.posts)
    door = door_for(settings, encoder_for(settings), replay=settings.time.ticks == "event")
    store = _store(settings) if "index" in names else None
    metrics = Metrics()
    metrics.tell_settings(settings.sha256[:12])
    metrics.encoder.info({"identity": door.identity})
    metrics.serve(settings.worker.metrics_port)
    worker = _Worker(settings, broker, topics, door, metrics)
    collect_rarely()
    try:
        asyncio.run(worker.run(names, origin, store))
    finally:
        if store is not None:
            store.close()


def _store(settings: Settings) -> Store:
    e = settings.elasticsearch
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    return open_store(
        settings.store.kind,
        path=settings.state_dir / "tindon.sqlite",
        url=e.url,
        prefix=settings.store.prefix,
        username=e.username,
        password=e.password.get_secret_value(),
        api_key=e.api_key.get_secret_value(),
        ca_file=e.ca_file,
        verify=e.verify,
        timeout_s=e.timeout_s,
        shards=e.shards,
        replicas=e.replicas,
    )


def checkpoint_store(settings: Settings, broker: Broker, topics: Topics) -> CheckpointStore:
    """Where the folds keep their state."""
    if settings.worker.checkpoint_store == "disk":
        return DiskCheckpoints(settings.worker.checkpoint_dir or settings.state_dir / "checkpoints")
    return KafkaCheckpoints(broker.bootstrap, topics.checkpoints.name, broker.client_options())


class _Worker:
    def __init__(
        self, settings: Settings, broker: Broker, topics: Topics, door: Door, metrics: Metrics
    ) -> None:
        self._settings = settings
        self._door = door
        self._producer = Producer(broker)
        self._checkpoints = checkpoint_store(settings, broker, topics)
        self._failure: BaseException | None = None
        self._stop = asyncio.Event()
        self._stages: list[Stage] = []
        self._working = False  # all of them have started
        self._road = Road(settings, broker, topics, self._producer, metrics, failed=self._failed)

    def _failed(self, error: BaseException) -> None:
        self._failure = self._failure or error
        self._stop.set()

    async def run(self, names: Sequence[str], origin: str, store: Store | None) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        await self._producer.start()
        watch = asyncio.ensure_future(self._watch())
        starting = asyncio.ensure_future(self._begin(names, origin, store))
        stopped = asyncio.ensure_future(self._stop.wait())
        # A start waits for Kafka for as long as it takes: who stops the worker, or the watch, ends it.
        await asyncio.wait({starting, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
        try:
            await starting
            await stopped
        except (asyncio.CancelledError, Exception) as error:
            if not starting.cancelled():
                self._failed(error)
        watch.cancel()
        await self._end()
        if self._failure is not None:
            for name in CLIENTS:  # the failure is the last word
                logging.getLogger(name).setLevel(logging.CRITICAL)
            raise self._failure

    async def _begin(self, names: Sequence[str], origin: str, store: Store | None) -> None:
        await self._checkpoints.start()
        self._stages = [self._stage(name, origin, store) for name in names]
        await asyncio.gather(*(stage.start() for stage in self._stages))
        self._working = True
        log.info("working on %s, process %d", ", ".join(names), os.getpid())

    def _stage(self, name: str, origin: str, store: Store | None) -> Stage:
        road, door = self._road, self._door
        if name == "embed":
            stage = EmbedStage(road, door, origin)
            if self._settings.time.ticks == "wall":
                stage.background(lambda: send_ticks(road, door, stage))
            return stage
        if name == "cluster":
            return ClusterStage(road, door, self._checkpoints)
        if name == "alert":
            record = self._settings.worker.record
            return AlertStage(road, door, self._checkpoints, record=record)
        assert name == "index" and store is not None, name
        return IndexStage(road, store)

    async def _watch(self) -> None:
        """Notice when Faust gives up or Kafka is away for good; keep the lag current and memory small."""
        next_lag, answered = 0.0, time.monotonic()
        while True:
            await asyncio.sleep(WATCH_S)
            for stage in self._stages:
                if (reason := stage.crash) is not None:
                    self._failed(reason)
            if time.monotonic() >= next_lag:
                next_lag = time.monotonic() + LAG_S
                collect_young()
                if await self._kafka_answers():
                    answered = time.monotonic()
                    for stage in self._stages if self._working else ():
                        await self._measure_lag(stage)
                elif (away := time.monotonic() - answered) > AWAY_S:
                    address = self._settings.kafka.bootstrap
                    self._failed(WorkerError(f"no answer from Kafka at {address} for {away:.0f} s"))

    async def _kafka_answers(self) -> bool:
        with suppress(TimeoutError):
            return await asyncio.wait_for(self._producer.answered(), LAG_S)
        return False

    async def _measure_lag(self, stage: Stage) -> None:
        try:
            lag = await stage.lag()
        except (KafkaError, AttributeError, RuntimeError) as error:
            log.debug("no lag of %s: %s", stage.name, error)  # a rebalance, or the broker is away
            return
        gauge = self._road.metrics.lag
        for partition in range(stage.topic.partitions):
            labels = (stage.name, stage.topic.name, str(partition))
            if partition in lag:
                gauge.labels(*labels).set(lag[partition])
            else:  # another worker's: two answers for one partition would mislead
                _forget(gauge, labels)

    async def _end(self) -> None:
        """Save, acknowledge and close; nothing here may hold up the end of the process."""
        log.info("stopping")
        threading.excepthook = _ended
        _end_by_force(LAST_RESORT_S, code=0 if self._failure is None else 1)
        try:
            async with asyncio.timeout(STOP_S):
                results = await asyncio.gather(
                    *(stage.stop() for stage in self._stages), return_exceptions=True
                )
                for stage, result in zip(self._stages, results, strict=True):
                    if isinstance(result, BaseException):
                        log.error("%s did not stop well: %r", stage.name, result)
                await self._checkpoints.stop()
                await self._producer.stop()
        except TimeoutError:
            log.warning("stopped without waiting any longer; what is not saved will be done again")
        except (KafkaError, BrokerError) as error:
            log.warning("stopped while Kafka was away: %s", error)


def _ended(thread: threading.ExceptHookArgs) -> None:
    """A client library's thread that ends badly while the worker ends is no news: why it ends is told."""
    log.debug("a client library's thread ended with %r", thread.exc_value)


def _end_by_force(seconds: float, code: int) -> None:
    """End the process when a client library's thread keeps it alive longer than that."""

    def end() -> None:
        log.error("a client library did not end: ended without it")
        logging.shutdown()
        os._exit(code)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()


def _forget(gauge: Any, labels: tuple[str, ...]) -> None:
    with suppress(KeyError):
        gauge.remove(*labels)
