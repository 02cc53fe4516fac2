"""Settings applied to a running worker, and a shadow beside it, on a real broker."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer
from kafka.structs import TopicPartition

from agents.offline import write_offline
from agents.recorded import write_recorded
from deploy.local import Kafka
from evaluation.shadow.live import group_of
from stores.sqlite import SqliteStore
from streams.broker import Broker
from tests.kafka_road import KafkaRoad, road, same_files, scenario_file

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


def test_tuning_on_kafka(kafka: Kafka, fresh_name: Callable[[], str], tmp_path: Path) -> None:
    """Settings reach a running worker and stand in its logs; a shadow over these leaves no trace."""
    lines = scenario_file(tmp_path / "day.jsonl", POSTS).read_text(encoding="utf-8").splitlines()
    halves = [tmp_path / "morning.jsonl", tmp_path / "evening.jsonl"]
    halves[0].write_text("\n".join(lines[: POSTS // 2]) + "\n", encoding="utf-8")
    halves[1].write_text("\n".join(lines[POSTS // 2 :]) + "\n", encoding="utf-8")
    candidate = tmp_path / "candidate.yaml"
    candidate.write_text("alert:\n  suggest:\n    min_posts: 3\n    score: 0.6\n")
    variables = {"TINDON_EMBED__ENCODER": "none", "TINDON_STORE__KIND": "sqlite"}
    with road(kafka.bootstrap, fresh_name(), tmp_path, **variables) as kafka_road:

        def tindon(*arguments: str) -> str:
            done = subprocess.run(
                kafka_road.command(*arguments), cwd=tmp_path, env=kafka_road.environment,
                capture_output=True, text=True, check=False, timeout=120,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            return done.stdout

        worker = kafka_road.start_worker("--record")
        kafka_road.ingest("--as-is", str(halves[0]))
        tindon("settings", "apply", str(candidate), "--who", "Lan", "--why", "a quiet stream")
        shown = json.loads(tindon("settings", "show", "--format", "json"))
        assert [a["who"] for a in shown["applied"]] == ["Lan"]
        assert shown["values"]["alert.suggest.min_posts"] == 3
        told = f'version="{shown["version"]}"'
        kafka_road.until(lambda: told in _metrics(worker), "the worker to tell the new version")
        kafka_road.ingest("--as-is", str(halves[1]))
        kafka_road.finish()
        worker.terminate()
        worker.wait(30)

        # The logs alone give the same again, byte for byte: the settings stand at their place.
        write_recorded(kafka_road.settings, tmp_path / "recorded")
        _, comparison = write_offline(kafka_road.settings, tmp_path / "offline")
        assert comparison[1:] == ([], [], [])
        same_files(tmp_path / "recorded", tmp_path / "offline")
        store = SqliteStore(kafka_road.settings.state_dir / "tindon.sqlite")
        versions = {alert.settings_version for alert in store.alerts(limit=1_000)}
        store.close()
        assert shown["version"] in versions

        before = traces(kafka_road)
        strict = "alert:\n  suggest:\n    min_posts: 60\n    min_voices: 40\n"
        candidate.write_text(strict)
        arguments = ("--candidate", str(candidate), "--to-end", "--format", "json")
        found = json.loads(tindon("shadow", *arguments))
        assert traces(kafka_road) == before, "a shadow writes nothing"
        assert found["posts"] > POSTS / 2 and found["damaged"] == 0
        alerts = (tmp_path / "recorded" / "alerts.jsonl").read_text().splitlines()
        suggested = {json.loads(line)["alert_id"] for line in alerts}
        assert found["sides"]["in_force"]["suggest"] == len(suggested) > 0
        assert found["fates"]["vanishes"] + found["fates"]["later"] > 0
        with Broker(kafka_road.settings).admin() as admin:
            own = admin.list_group_offsets([group_of(kafka_road.settings)])
        [offsets] = own.values()
        assert {tp.topic for tp in offsets} == {kafka_road.topics.embedded.name}


def _metrics(worker: Any) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{worker.metrics_port}/metrics") as answer:
        return str(answer.read().decode())
