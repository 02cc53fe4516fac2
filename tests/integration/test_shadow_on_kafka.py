"""A shadow over the live topic sees what the worker sees, and leaves no trace but its own offsets."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer
from kafka.structs import TopicPartition

from deploy.local import Kafka
from evaluation.shadow.live import group_of
from streams.broker import Broker
from tests.kafka_road import KafkaRoad, road, scenario_file

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

POSTS = 300


def traces(kafka_road: KafkaRoad) -> dict[str, Any]:
    """Every message of every topic, every group's offsets, every row of the store."""
    found: dict[str, Any] = {}
    consumer = KafkaConsumer(
        bootstrap_servers=kafka_road.settings.kafka.bootstrap,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    for topic in kafka_road.topics.all():
        ends = kafka_road.ends(topic)
        places = {TopicPartition(topic.name, p): end for p, end in ends.items()}
        consumer.assign(list(places))
        messages = []
        while any(consumer.position(place) < end for place, end in places.items()):
            for records in consumer.poll(200).values():
                messages += [(r.partition, r.offset, r.key, r.value) for r in records]
        found[topic.name] = (ends, sorted(messages, key=lambda m: m[:2]))
    consumer.close()
    with Broker(kafka_road.settings).admin() as admin:
        for stage in ("embed", "cluster", "alert", "index"):
            group = kafka_road.group(stage)
            found[group] = admin.list_group_offsets([group])[group]
    state = kafka_road.settings.state_dir
    found["store"] = sorted(
        (str(path.relative_to(state)), path.read_bytes())
        for path in state.rglob("*")
        if path.is_file() and path.suffix != ".lock"
    )
    return found


def test_shadow_on_kafka(kafka: Kafka, fresh_name: Callable[[], str], tmp_path: Path) -> None:
    file = scenario_file(tmp_path / "day.jsonl", POSTS)
    candidate = tmp_path / "candidate.yaml"
    variables = {"TINDON_EMBED__ENCODER": "none", "TINDON_STORE__KIND": "sqlite"}
    with road(kafka.bootstrap, fresh_name(), tmp_path, **variables) as kafka_road:
        worker = kafka_road.start_worker()
        kafka_road.ingest(str(file))
        kafka_road.finish()
        worker.terminate()
        worker.wait(30)
        before = traces(kafka_road)

        candidate.write_text("alert:\n  suggest:\n    min_posts: 60\n    min_voices: 40\n")
        done = subprocess.run(
            kafka_road.command(
                "shadow", "--candidate", str(candidate), "--to-end", "--format", "json"
            ),
            cwd=tmp_path, env=kafka_road.environment, capture_output=True, text=True,
            check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert traces(kafka_road) == before, "a shadow writes nothing"

        told = json.loads(done.stdout)
        assert told["posts"] > POSTS / 2 and told["damaged"] == 0
        assert told["sides"]["in_force"]["suggest"] > 0
        assert told["fates"]["vanishes"] + told["fates"]["later"] > 0
        with Broker(kafka_road.settings).admin() as admin:
            own = admin.list_group_offsets([group_of(kafka_road.settings)])
        [offsets] = own.values()
        assert {tp.topic for tp in offsets} == {kafka_road.topics.embedded.name}
