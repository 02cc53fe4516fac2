"""What the road does when Kafka comes late or has more partitions than at the start: `make chaos`."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from kafka.admin import NewPartitions

from agents.kafka.worker import AWAY_S
from agents.offline import write_offline
from agents.recorded import write_recorded
from deploy.local import Kafka
from deploy.local.java import SHORT
from deploy.local.ports import free_ports
from streams.broker import Broker
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


def test_kafka_that_comes_up_after_the_worker_with_no_topic_in_it(
    name: str, state_folder: Path, tmp_path: Path
) -> None:
    server = Kafka(state_folder, *free_ports(2), java_options=SHORT)
    file = scenario_file(tmp_path / "day.jsonl", 50)
    kafka_road = KafkaRoad(server.bootstrap, name, tmp_path, **LIGHT)
    worker = kafka_road.start_worker()
    try:
        kafka_road.until(lambda: "waiting 60 s for it" in kafka_road.log_of(worker), "one line")
        server.start()
        server.wait(180)
        kafka_road.until(lambda: "working on" in kafka_road.log_of(worker), "the worker")
        kafka_road.ingest(str(file))
        kafka_road.finish()
        stop(worker, kafka_road)
        summary, _ = write_recorded(kafka_road.settings, tmp_path / "recorded")
        assert summary["posts_in"] == 53
        kafka_road.end()
    finally:
        if worker.poll() is None:
            worker.kill()
            worker.wait(10)
        server.stop()


@pytest.mark.parametrize("stage", ["embed", "cluster", "alert", "index"])
def test_kafka_that_goes_away_for_good(
    name: str, state_folder: Path, tmp_path: Path, stage: str
) -> None:
    """Whatever a worker does, it ends with a line, so that its supervisor starts it when Kafka is back."""
    server = Kafka(state_folder, *free_ports(2), java_options=SHORT)
    server.start()
    kafka_road = KafkaRoad(server.bootstrap, name, tmp_path, **LIGHT)
    try:
        server.wait(180)
        kafka_road.create_topics()
        worker = kafka_road.start_worker("--agents", stage)
        kafka_road.until(lambda: kafka_road.members(stage) == 1, "the worker")
        kafka_road.ingest(str(scenario_file(tmp_path / "day.jsonl", 50)))
        server.kill()
        assert worker.wait(AWAY_S + 60) == 1, kafka_road.log_of(worker)
        assert "Kafka" in kafka_road.log_of(worker).splitlines()[-1]
    finally:
        server.stop()
        if worker.poll() is None:
            worker.kill()
            worker.wait(10)


def test_partitions_of_posts_that_are_added_in_mid_stream(
    kafka: Kafka, name: str, tmp_path: Path
) -> None:
    file = scenario_file(tmp_path / "day.jsonl", POSTS)
    with road(kafka.bootstrap, name, tmp_path, **LIGHT) as kafka_road:
        worker = kafka_road.start_worker()
        kafka_road.until(lambda: kafka_road.members("cluster") == 1, "the worker")
        with Broker(kafka_road.settings).admin() as admin:
            admin.create_partitions({kafka_road.topics.posts.name: NewPartitions(3)})
        more = KafkaRoad(
            kafka.bootstrap, name, tmp_path, **LIGHT, TINDON_KAFKA__POSTS_PARTITIONS="3"
        )
        more.ingest(str(file))
        more.finish()
        assert set(more.committed("embed")) == {0, 1, 2}, "the running worker reads them"
        stop(worker, kafka_road)
        again = kafka_road.start_worker()
        assert again.wait(60) == 1
        assert "set kafka.posts_partitions to 3" in kafka_road.log_of(again)
        summary, _ = write_recorded(more.settings, tmp_path / "recorded")
        write_offline(more.settings, tmp_path / "offline")
    assert summary["posts_in"] == POSTS + 3
    same_files(tmp_path / "recorded", tmp_path / "offline")


def test_partitions_of_the_cluster_stage_that_are_added(
    kafka: Kafka, name: str, tmp_path: Path
) -> None:
    """From one cluster fold to four: what was seen stays seen, and the offline fold says the same."""
    file = scenario_file(tmp_path / "day.jsonl", 1_500)
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "first.jsonl").write_text("".join(lines[:800]), encoding="utf-8")
    (tmp_path / "second.jsonl").write_text("".join(lines[400:]), encoding="utf-8")
    states = {"TINDON_WORKER__CHECKPOINT_S": "1"}
    with road(kafka.bootstrap, name, tmp_path, **states) as before:
        worker = before.start_worker()
        before.ingest(str(tmp_path / "first.jsonl"))
        before.until(
            lambda: before.committed("embed") == before.ends(before.topics.posts), "frames"
        )
        assert "stop them" in refused(before, "grow", "4")
        stop(worker, before)
        done = subprocess.run(
            before.command("grow", "4"), cwd=tmp_path, env=before.environment,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "1 partitions were there, 4 are; 3 of them go on" in done.stdout
        assert "set kafka.embedded_partitions to 4" in refused(before, "worker")

        after = KafkaRoad(
            kafka.bootstrap, name, tmp_path, **states, TINDON_KAFKA__EMBEDDED_PARTITIONS="4"
        )
        after.workers = before.workers  # they end with the road
        first = after.start_worker()
        second = after.start_worker()
        after.until(lambda: after.members("cluster") == 2, "two workers share the partitions")
        after.ingest(str(tmp_path / "second.jsonl"))
        after.finish()
        assert set(after.committed("cluster")) == {0, 1, 2, 3}
        stop(first, after)
        stop(second, after)
        summary, _ = write_recorded(after.settings, tmp_path / "recorded")
        _, comparison = write_offline(after.settings, tmp_path / "offline")
    assert comparison[1:] == ([], [], [])
    same_files(tmp_path / "recorded", tmp_path / "offline")
    assert summary["posts_in"] == len(lines) + 400, "the second file has 400 lines again"
    # One of them is the line that is cut; one is there twice already in the file.
    assert (summary["dead"], summary["duplicates"]) == (1, 401)


def refused(kafka_road: KafkaRoad, *arguments: str) -> str:
    done = subprocess.run(
        kafka_road.command(*arguments), cwd=kafka_road.folder, env=kafka_road.environment,
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode != 0
    return done.stderr
