"""The long form of the guarantee, a fault a test: `make chaos`.

In each the road runs on a broker of the test's own, and `verdict` compares all that it left behind with an
offline fold of its logs, byte by byte.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kafka import KafkaConsumer
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.structs import TopicPartition

from agents.replay import ReplayOptions, replay
from deploy.local import Elasticsearch, Kafka
from deploy.local.ports import free_ports
from streams.broker import Broker
from tests.consistency.disturbed import Disturbed, disturbed, in_elasticsearch, stopped, value
from tests.kafka_road import KafkaRoad, same_files

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(900)]

SESSION_S = 6  # of a worker, in these tests
AWAY_S = 60  # Elasticsearch
COMPACTION_S = 120  # the broker looks every 15 s
STATES = {"TINDON_WORKER__CHECKPOINT_S": "3"}


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="tindon-chaos-"))
    folder.chmod(0o755)  # the servers' system users enter it
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def broker(servers: Path) -> Iterator[Kafka]:
    """A broker of this file's own: it is killed and comes back."""
    server = Kafka(servers, *free_ports(2))
    server.start()
    try:
        server.wait(180)
        yield server
    finally:
        server.stop()


@pytest.fixture
def name(fresh_name: Callable[[], str]) -> str:
    return fresh_name()


def begin(stream: Disturbed, workers: int = 1) -> None:
    stream.road.start_worker()
    stream.road.until(lambda: stream.road.members("cluster") >= 1, "the first worker")
    for _ in range(workers - 1):
        stream.join()
    stream.await_work()


def test_twenty_kills_at_random_moments(broker: Kafka, name: str, tmp_path: Path) -> None:
    posts = {"TINDON_KAFKA__POSTS_PARTITIONS": "3"}
    with disturbed(broker.bootstrap, name, tmp_path, rate=60, seed=20, **STATES, **posts) as stream:
        begin(stream)
        for _ in range(20):
            stream.await_work()
            time.sleep(stream.chance.uniform(0.0, 3.0))
            stream.kill(stream.chance.choice(stream.alive()))
            stream.road.start_worker()
            stream.road.until(lambda: stream.road.members("cluster") == 1, "the next worker")
        stream.drain()
        resent = stream.verdict()
    assert resent.changes > 20 and resent.records > 20, resent


def test_workers_told_to_stop(broker: Kafka, name: str, tmp_path: Path) -> None:
    """A clean end leaves nothing to be done again; unless it came too late, nothing is."""
    with disturbed(broker.bootstrap, name, tmp_path, rate=80, **STATES) as stream:
        begin(stream)
        for _ in range(4):
            stream.await_work()
            stream.terminate(stream.holder())
            stream.road.start_worker()
            stream.road.until(lambda: stream.road.members("cluster") == 1, "the next worker")
        stream.drain()
        stream.verdict()


def test_workers_that_join_and_leave(broker: Kafka, name: str, tmp_path: Path) -> None:
    posts = {"TINDON_KAFKA__POSTS_PARTITIONS": "4"}
    with disturbed(broker.bootstrap, name, tmp_path, rate=70, **STATES, **posts) as stream:
        begin(stream)
        for count in (2, 3):
            stream.note(f"worker {count} joins")
            stream.join()
            stream.await_work()
        for _ in range(2):
            stream.terminate(stream.holder())
            stream.await_work()
        stream.drain()
        stream.verdict()


def test_a_broker_that_is_killed_and_comes_back(broker: Kafka, name: str, tmp_path: Path) -> None:
    with disturbed(broker.bootstrap, name, tmp_path, rate=70, **STATES) as stream:
        begin(stream, workers=2)
        for _ in range(2):
            stream.await_work()
            stream.note("SIGKILL of the broker")
            broker.kill()
            broker.start()
            broker.wait(90)
        stream.await_work()
        stream.drain()
        stream.verdict()


def test_a_network_that_stalls_for_longer_than_the_session(
    broker: Kafka, name: str, tmp_path: Path
) -> None:
    with disturbed(broker.bootstrap, name, tmp_path, rate=70, **STATES) as stream:
        begin(stream, workers=2)
        stream.note("SIGSTOP of the broker")
        with stopped(broker):
            time.sleep(SESSION_S + 3)
        stream.await_work()
        stream.drain()
        stream.verdict()


def test_a_worker_that_wakes_when_its_partitions_are_gone(
    broker: Kafka, name: str, tmp_path: Path
) -> None:
    with disturbed(broker.bootstrap, name, tmp_path, rate=70, **STATES) as stream:
        begin(stream, workers=2)
        for _ in range(3):
            zombie = stream.holder()
            stream.await_work()
            [other] = [worker for worker in stream.alive() if worker is not zombie]
            before = stream.road.log_of(other).count("cluster: partition 0 from")
            stream.stall(zombie, SESSION_S + 3)
            stream.road.until(
                lambda o=other, b=before: (
                    stream.road.log_of(o).count("cluster: partition 0 from") > b
                ),
                "the other worker to take over",
            )
            stream.await_work()
        stream.drain()
        resent = stream.verdict()
    assert resent.changes > 0, "the other worker had nothing to make again"


def test_elasticsearch_away_for_a_minute(
    broker: Kafka, name: str, servers: Path, tmp_path: Path
) -> None:
    server = Elasticsearch(servers, *free_ports(2))
    server.start()
    try:
        server.wait(180)
        store = {"TINDON_STORE__KIND": "elasticsearch", "TINDON_ELASTICSEARCH__URL": server.url}
        with disturbed(broker.bootstrap, name, tmp_path, rate=60, **STATES, **store) as stream:
            begin(stream)
            road, [worker] = stream.road, stream.alive()
            road.until(lambda: sum(road.committed("index").values()), "documents")
            stream.note("SIGKILL of Elasticsearch")
            server.kill()
            road.until(lambda: "takes no writes" in road.log_of(worker), "the outage")
            time.sleep(AWAY_S / 2)
            stream.kill(worker)  # in the middle of it: nobody remembers what was under way
            worker = road.start_worker()
            road.until(lambda: "takes no writes" in road.log_of(worker), "the outage again")
            time.sleep(AWAY_S / 2)
            behind = stream.unfinished()["index"]
            assert behind > 100, "the outage met no documents"
            server.start()
            server.wait(180)
            road.until(lambda: "takes writes again" in road.log_of(worker), "the store's return")
            road.until(
                lambda: stream.unfinished()["index"] < behind / 4, "the index agent to catch up"
            )
            stream.drain()
            stream.verdict(in_elasticsearch(server.url, f"{name}-"))
    finally:
        server.stop()


def test_a_checkpoint_topic_that_is_compacted_while_it_is_written(
    broker: Kafka, name: str, tmp_path: Path
) -> None:
    with disturbed(
        broker.bootstrap, name, tmp_path, rate=60, TINDON_WORKER__CHECKPOINT_S="1"
    ) as stream:
        compact_soon(stream.road)
        begin(stream)
        for _ in stream.road.waiting("the broker to compact checkpoints"):
            if holes(stream.road) > 10:
                break
        for _ in range(3):
            stream.await_work()
            stream.kill(stream.alive()[0])
            worker = stream.road.start_worker()
            stream.road.until(lambda: stream.road.members("cluster") == 1, "the next worker")
        stream.drain()
        assert value(worker, "checkpoints_damaged_total") == 0
        resent = stream.verdict()
    assert resent.changes > 0


def compact_soon(road: KafkaRoad) -> None:
    """Compact checkpoints within seconds instead of an hour."""
    topic = road.topics.checkpoints.name
    eager = {"min.cleanable.dirty.ratio": "0.01", "segment.ms": "1000", "segment.bytes": "1048576",
             "min.compaction.lag.ms": "0", "max.compaction.lag.ms": "1000",
             "delete.retention.ms": "1000"}  # fmt: skip
    with Broker(road.settings).admin() as admin:
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, eager)])


def holes(road: KafkaRoad) -> int:
    """Records of the checkpoint topic that are no more."""
    topic = road.topics.checkpoints
    consumer = KafkaConsumer(
        bootstrap_servers=road.settings.kafka.bootstrap, consumer_timeout_ms=1500
    )
    places = [TopicPartition(topic.name, p) for p in range(topic.partitions)]
    consumer.assign(places)
    consumer.seek_to_beginning(*places)
    there = sum(1 for _ in consumer)
    ends = sum(consumer.end_offsets(places).values())
    consumer.close()
    return ends - there


def test_one_source_partition_equals_an_undisturbed_run(
    broker: Kafka, name: str, tmp_path: Path
) -> None:
    """With one partition of `posts` the log is the file, whatever happens: a replay says the same."""
    with disturbed(broker.bootstrap, name, tmp_path, rate=70, **STATES) as stream:
        begin(stream)
        for _ in range(2):
            stream.await_work()
            stream.kill(stream.holder())
            stream.road.start_worker()
            stream.road.until(lambda: stream.road.members("cluster") == 1, "the next worker")
        stream.drain()
        resent = stream.verdict()
        calm = stream.road.settings
        replay([str(stream.file)], tmp_path / "replay", calm, ReplayOptions(as_is=True))
    assert resent.changes > 0
    same_files(tmp_path / "recorded", tmp_path / "replay")


@pytest.mark.parametrize("who", ["embed", "folds"])
def test_acknowledging_before_the_checkpoint_is_noticed(
    broker: Kafka, name: str, tmp_path: Path, who: str
) -> None:
    rare = {"TINDON_WORKER__CHECKPOINT_S": "20"}
    with disturbed(broker.bootstrap, name, tmp_path, rate=60, **rare) as stream:
        road = stream.road
        road.command = lambda *a: [  # type: ignore[method-assign]
            sys.executable, "-m", "tests.consistency.hasty_worker", who, *a,
        ]  # fmt: skip
        first = road.start_worker()
        road.until(lambda: sum(road.committed("cluster").values()) > 10, "hasty commits")
        stream.kill(first)
        stream.faults.clear()  # by what it acknowledged it may have nothing left to do
        road.start_worker()  # it believes the group as well
        road.until(lambda: road.members("cluster") == 1, "its successor")
        stream.drain()
        with pytest.raises(AssertionError, match=r"changes that the log|posts_in"):
            stream.verdict()
