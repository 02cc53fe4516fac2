"""The road on Faust's own transport, and over a log with a hole."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from agents.recorded import write_recorded
from agents.replay import ReplayOptions, replay
from agents.stages import door_for
from deploy.local import Kafka
from embeddings.door import build_frame
from streams.codec import encode
from streams.validation import Tick
from tests.kafka_road import KafkaRoad, road, same_files, scenario_file

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

POSTS = 500
LIGHT = {"TINDON_EMBED__ENCODER": "none", "TINDON_WORKER__CHECKPOINT_S": "1"}


@pytest.fixture
def name(fresh_name: Callable[[], str]) -> str:
    return fresh_name()


def stop(worker: subprocess.Popen[bytes], kafka_road: KafkaRoad) -> None:
    worker.terminate()
    assert worker.wait(30) == 0, kafka_road.log_of(worker)


def test_fausts_own_transport_gives_the_same_results(
    kafka: Kafka, name: str, tmp_path: Path
) -> None:
    file = scenario_file(tmp_path / "day.jsonl", POSTS)
    stock = {"TINDON_WORKER__TRANSPORT": "stock"}
    with road(kafka.bootstrap, name, tmp_path, **LIGHT, **stock) as kafka_road:
        first = kafka_road.start_worker()
        kafka_road.ingest(str(file), "--rate", "200")
        stop(first, kafka_road)  # wherever it is
        kafka_road.start_worker()
        kafka_road.finish()
        write_recorded(kafka_road.settings, tmp_path / "recorded")
    replay([str(file)], tmp_path / "replay", kafka_road.settings, ReplayOptions())
    same_files(tmp_path / "recorded", tmp_path / "replay")


def test_a_worker_is_told_to_stop_in_the_middle_of_its_start(
    kafka: Kafka, name: str, tmp_path: Path
) -> None:
    with road(kafka.bootstrap, name, tmp_path, **LIGHT) as kafka_road:
        kafka_road.command = lambda *a: [  # type: ignore[method-assign]
            sys.executable, "-m", "tests.integration.starting_worker", *a,
        ]  # fmt: skip
        worker = kafka_road.start_worker("--agents", "embed")
        kafka_road.until(lambda: kafka_road.members("embed") == 1, "the worker")
        stop(worker, kafka_road)
        assert "working on" not in kafka_road.log_of(worker)


def test_a_hole_in_the_log_behind_a_checkpoint_is_no_reason_to_read_again(
    kafka: Kafka, name: str, tmp_path: Path
) -> None:
    """A transaction's marker takes an offset that no record has."""
    file = scenario_file(tmp_path / "day.jsonl", 50)
    with road(kafka.bootstrap, name, tmp_path, **LIGHT) as kafka_road:
        settings, topic = kafka_road.settings, kafka_road.topics.embedded.name
        door = door_for(settings, None, replay=True)
        tick = encode(build_frame(door, [(1, Tick(1))], origin="test", partition=0).frame)
        asyncio.run(in_a_transaction(kafka.bootstrap, topic, tick))
        first = kafka_road.start_worker()
        kafka_road.until(lambda: kafka_road.committed("cluster") == {0: 1}, "the first checkpoint")
        stop(first, kafka_road)

        second = kafka_road.start_worker()
        kafka_road.ingest(str(file))
        kafka_road.finish()
        log = kafka_road.log_of(second)
        assert log.count("goes back to offset 1") == 1, "the hole is met once"
        stop(second, kafka_road)
        assert write_recorded(settings, tmp_path / "recorded")[0]["posts_in"] == 53


async def in_a_transaction(bootstrap: str, topic: str, value: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=topic)
    await producer.start()
    async with producer.transaction():
        await producer.send_and_wait(topic, value, partition=0)
    await producer.stop()
