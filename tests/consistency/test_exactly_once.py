"""The effect of every post is exactly once, whatever becomes of the workers. A short form: one kill."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from agents.offline import write_offline
from agents.recorded import write_recorded
from deploy.local import Kafka
from stores.sqlite import SqliteStore
from tests.kafka_road import STAGES, KafkaRoad, road, same_files, scenario_file

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]

POSTS = 2_500
PARTITIONS = 3
RATE = "300"  # posts/s: the stream lasts through the kill and the recovery


def test_kill_in_mid_stream_changes_no_byte_against_an_offline_fold(
    kafka: Kafka, fresh_name: Callable[[], str], tmp_path: Path
) -> None:
    file = scenario_file(tmp_path / "day.jsonl", POSTS)
    variables = {
        "TINDON_KAFKA__POSTS_PARTITIONS": str(PARTITIONS),
        "TINDON_WORKER__CHECKPOINT_S": "4",
        "TINDON_STATE_DIR": str(tmp_path / "state"),
    }
    with road(kafka.bootstrap, fresh_name(), tmp_path, **variables) as kafka_road:
        first = kafka_road.start_worker()
        kafka_road.until(lambda: kafka_road.members("cluster") == 1, "the first worker to join")
        kafka_road.start_worker()
        for stage in STAGES:
            kafka_road.until(lambda at=stage: kafka_road.members(at) == 2, f"two for {stage}")
        ingest = subprocess.Popen(
            kafka_road.command("ingest", str(file), "--rate", RATE),
            cwd=tmp_path, env=kafka_road.environment, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        victim = await_unfinished_work(kafka_road) or first
        victim.send_signal(signal.SIGKILL)
        victim.wait(10)
        kafka_road.until(lambda: kafka_road.members("cluster") == 1, "the group to notice")
        kafka_road.start_worker()
        assert ingest.wait(120) == 0
        kafka_road.finish()

        for stage, topic in zip(STAGES, (kafka_road.topics.posts, kafka_road.topics.embedded,
                                         kafka_road.topics.changes, kafka_road.topics.alerts),
                                strict=True):  # fmt: skip
            assert kafka_road.committed(stage) == kafka_road.ends(topic), stage
        assert len(kafka_road.committed("embed")) == PARTITIONS
        for worker in kafka_road.workers:
            if worker is not victim:
                started = time.monotonic()
                worker.terminate()
                assert worker.wait(30) == 0, kafka_road.log_of(worker)
                assert time.monotonic() - started < 5.0

        summary, resent = write_recorded(kafka_road.settings, tmp_path / "recorded")
        offline, comparison = write_offline(kafka_road.settings, tmp_path / "offline")

    assert sum(resent) > 0, "the kill fell into no work: nothing was delivered again"
    assert comparison[1:] == ([], [], []), "changes that the log of frames does not give"
    assert summary["posts_in"] == POSTS + 3
    same_files(tmp_path / "recorded", tmp_path / "offline")
    assert len((tmp_path / "offline" / "alerts.jsonl").read_bytes().splitlines()) >= 10

    store = SqliteStore(tmp_path / "state" / "tindon.sqlite")
    alerts = {alert.alert_id for alert in store.alerts(limit=100_000)}
    assert alerts and len(alerts) <= offline["alerts"]["suggest"] + offline["alerts"]["confirm"]
    store.close()


def await_unfinished_work(kafka_road: KafkaRoad) -> subprocess.Popen[bytes] | None:
    """Wait until changes stand in the log that no checkpoint covers; the worker that made them."""
    for _ in kafka_road.waiting("work without checkpoint", every_s=0.1):
        if sum(kafka_road.ends(kafka_road.topics.changes).values()) > 40:
            break
    for _ in kafka_road.waiting("a checkpoint to go by", every_s=0.1):
        before = (kafka_road.committed("cluster"), kafka_road.ends(kafka_road.topics.changes))
        time.sleep(1.0)
        after = (kafka_road.committed("cluster"), kafka_road.ends(kafka_road.topics.changes))
        if before[0] == after[0] and after[1][0] - before[1][0] >= 20:
            break
    for worker in kafka_road.workers:
        if "cluster: partition 0 from" in kafka_road.log_of(worker):
            return worker
    return None
