"""The road on real Kafka and Elasticsearch says what a replay of the same file says."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, KafkaProducer
from kafka.structs import TopicPartition

from agents.kafka.app import COMMIT_S
from agents.recorded import write_recorded
from agents.replay import ReplayOptions, replay
from deploy.local import Elasticsearch, Kafka
from deploy.local.java import SHORT
from deploy.local.ports import free_ports
from stores import Store, open_store
from stores.sqlite import SqliteStore
from tests.kafka_road import KafkaRoad, road, same_files, scenario_file

pytestmark = [pytest.mark.kafka, pytest.mark.elasticsearch, pytest.mark.timeout(600)]

POSTS = 1_500
MOST = 100_000
STOP_S = 5.0


@pytest.fixture
def name(fresh_name: Callable[[], str]) -> str:
    return fresh_name()


@pytest.fixture
def store(elasticsearch_url: str, name: str) -> Iterator[Store]:
    """Elasticsearch's indices of this test, gone after it."""
    opened = open_store("elasticsearch", url=elasticsearch_url, prefix=f"{name}-")
    yield opened
    opened.close()
    _delete_indices(elasticsearch_url, name)


def _delete_indices(url: str, name: str) -> None:
    with urllib.request.urlopen(f"{url}/_cat/indices/{name}-*?h=index") as answer:
        indices = answer.read().decode().split()
    for index in indices:
        urllib.request.urlopen(urllib.request.Request(f"{url}/{index}", method="DELETE")).close()


def documents(store: Store) -> dict[str, Any]:
    """All alerts and rumors of a store, and how many documents of each kind."""
    store.refresh()
    return {
        "alerts": {d.alert_id: d for d in store.alerts(limit=MOST)},
        "rumors": {d.rumor_id: d for d in store.rumors(limit=MOST)},
        "counts": store.counts(),
    }


def stop(worker: subprocess.Popen[bytes]) -> float:
    """Seconds from SIGTERM to the end."""
    started = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    worker.wait(30)
    return time.monotonic() - started


def metrics(worker: Any) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{worker.metrics_port}/metrics") as answer:
        return str(answer.read().decode())


def test_recorded_road_equals_replay_and_elasticsearch_holds_its_alerts(
    kafka: Kafka, elasticsearch_url: str, store: Store, name: str, tmp_path: Path
) -> None:
    variables = {
        "TINDON_STORE__KIND": "elasticsearch",
        "TINDON_ELASTICSEARCH__URL": elasticsearch_url,
    }
    file = scenario_file(tmp_path / "day.jsonl", POSTS)
    with road(kafka.bootstrap, name, tmp_path, **variables) as kafka_road:
        worker = kafka_road.start_worker("--record")
        assert f"{POSTS + 3:,} records" in kafka_road.ingest(str(file))
        kafka_road.finish()
        said = metrics(worker)
        took = stop(worker)
        assert worker.returncode == 0, kafka_road.log_of(worker)
        assert took < STOP_S, f"SIGTERM took {took:.1f} s"
        summary, resent = write_recorded(kafka_road.settings, tmp_path / "recorded")

    replayed = replay([str(file)], tmp_path / "replay", kafka_road.settings, ReplayOptions())
    assert resent == (0, 0, 0), "nothing was disturbed"
    assert summary["posts_in"] == replayed["posts_in"] == POSTS + 3
    assert summary["dead_by_reason"] == {"not_json": 1}
    same_files(tmp_path / "recorded", tmp_path / "replay")
    alerts = (tmp_path / "replay" / "alerts.jsonl").read_text().splitlines()
    assert len(alerts) >= 10, "the scenario raises alerts"

    embedded = SqliteStore(tmp_path / "replay" / "tindon.sqlite")
    assert documents(store) == documents(embedded)
    assert {d.alert_id for d in store.alerts(limit=MOST)} <= {
        json.loads(line)["alert_id"] for line in alerts
    }

    assert f'tindon_posts_total{{outcome="folded"}} {replayed["folded"]}.0' in said
    assert 'tindon_posts_total{outcome="dead"} 1.0' in said
    assert 'tindon_dead_letters_total{reason="not_json",stage="embed"} 1.0' in said
    assert re.search(r'tindon_checkpoint_size_bytes\{partition="0",stage="alert"\} [1-9]', said)
    assert re.search(r'tindon_alerts_total\{category="[^"]*",level="suggest"\} [1-9]', said)


def test_poison_and_oversize_messages_land_in_dead_letters(
    kafka: Kafka, name: str, tmp_path: Path
) -> None:
    # The topic takes 4 MiB (streams.topics.LARGEST_POST), more than intake.max_record_bytes, so that
    # a foreign producer's large message arrives and is accounted for.
    poison = b"\xff\xfe not a post at all"
    large = json.dumps({"id": "big", "created_at": 1_700_000_000, "text": "a " * 1_000_000})
    good = {"id": "ok", "created_at": 1_700_000_000, "text": "the bridge is closed until Monday"}
    with road(kafka.bootstrap, name, tmp_path) as kafka_road:
        producer = KafkaProducer(
            bootstrap_servers=kafka.bootstrap, max_request_size=8 << 20, acks="all"
        )
        topic = kafka_road.topics.posts.name
        for value in (poison, large.encode(), None, json.dumps(good).encode()):
            producer.send(topic, value, key=b"key", partition=0).get(30)
        producer.close()
        worker = kafka_road.start_worker("--agents", "embed,cluster,alert,index")
        kafka_road.finish()
        assert stop(worker) < STOP_S
        letters = _dead_letters(kafka.bootstrap, kafka_road)
        assert [(key, reason) for key, reason, _ in letters] == [
            ("0/0", "not_utf8"),
            ("0/1", "too_large"),
            ("0/2", "not_json"),
        ]
        assert "2000" in letters[1][2]["detail"], "the letter tells the size"
        assert len(json.dumps(letters[1][2])) < 10_000, "and does not carry the post"
        assert letters[0][2]["input"] == f"{topic}/0/0"
        # No tick follows, so the good post waits in the fold: its frame holds it beside three dead.
        assert sum(kafka_road.ends(kafka_road.topics.embedded).values()) >= 1


def _dead_letters(bootstrap: str, kafka_road: KafkaRoad) -> list[tuple[str, str, Any]]:
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    places = [TopicPartition(kafka_road.topics.dead.name, 0)]
    consumer.assign(places)
    consumer.seek_to_beginning(*places)
    [end] = consumer.end_offsets(places).values()
    found: list[Any] = []
    while consumer.position(places[0]) < end:
        found += consumer.poll(500).get(places[0], [])
    letters = [
        (r.key.decode(), dict(r.headers)["reason"].decode(), json.loads(r.value)) for r in found
    ]
    consumer.close()
    return letters


def test_oversize_line_of_a_file_is_counted_as_dead(
    kafka: Kafka, name: str, tmp_path: Path
) -> None:
    file = tmp_path / "posts.jsonl"
    post = {"id": "1", "created_at": 1_700_000_000, "text": "x" * 5_000_000}
    file.write_text(
        json.dumps(post) + "\n" + json.dumps(post | {"id": "2", "text": "short"}) + "\n"
    )
    limits = {"TINDON_INTAKE__MAX_RECORD_BYTES": "10000000"}  # let in here, refused by the topic
    with road(kafka.bootstrap, name, tmp_path, **limits) as kafka_road:
        assert "1 too large for the topic" in kafka_road.ingest(str(file))
        worker = kafka_road.start_worker()
        kafka_road.finish()
        stop(worker)
        [(_, reason, letter)] = _dead_letters(kafka.bootstrap, kafka_road)
        assert (reason, letter["input"]) == ("too_large", "posts.jsonl:1")


def test_elasticsearch_that_stops_and_comes_back_holds_the_same_documents(
    kafka: Kafka, name: str, state_folder: Path, tmp_path: Path
) -> None:
    server = Elasticsearch(
        state_folder, *free_ports(2), java_options=SHORT
    )  # its own: it is stopped
    server.start()
    try:
        server.wait(180)
        variables = {
            "TINDON_STORE__KIND": "elasticsearch",
            "TINDON_ELASTICSEARCH__URL": server.url,
        }
        file = scenario_file(tmp_path / "day.jsonl", POSTS)
        with (
            road(kafka.bootstrap, name, tmp_path, **variables) as kafka_road,
            ThreadPoolExecutor(1) as aside,
        ):
            worker = kafka_road.start_worker()
            # At a pace, so that the outage falls into the stream.
            ingested = aside.submit(kafka_road.ingest, str(file), "--rate", str(POSTS // 10))
            kafka_road.until(lambda: sum(kafka_road.committed("index").values()), "documents")
            server.stop()
            kafka_road.until(lambda: "takes no writes" in kafka_road.log_of(worker), "the outage")
            time.sleep(3 * COMMIT_S)  # what was written before it may be committed after it
            behind = kafka_road.committed("index")
            time.sleep(8 * COMMIT_S)
            assert kafka_road.committed("index") == behind, "nothing is acknowledged meanwhile"
            assert behind != kafka_road.ends(kafka_road.topics.alerts), "nothing was left to do"
            server.start()
            server.wait(180)
            ingested.result()
            kafka_road.finish()
            assert stop(worker) < STOP_S
            assert "takes writes again" in kafka_road.log_of(worker)
        replay([str(file)], tmp_path / "replay", kafka_road.settings, ReplayOptions())
        store = open_store("elasticsearch", url=server.url, prefix=f"{name}-")
        assert documents(store) == documents(SqliteStore(tmp_path / "replay" / "tindon.sqlite"))
        store.close()
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"TINDON_KAFKA__BOOTSTRAP": "127.0.0.1:1", "TINDON_KAFKA__WAIT_S": "1"},
         r"no Kafka at 127\.0\.0\.1:1 \(Connection refused\), waited 1 s: start it, or set"),
        ({"TINDON_KAFKA__POSTS_PARTITIONS": "3"},
         r"posts has 1 partitions instead of 3: set kafka\.posts_partitions to 1"),
        ({"TINDON_KAFKA__PREFIX": "nowhere.", "TINDON_KAFKA__CREATE_TOPICS": "false"},
         r"missing at .*: nowhere\.posts, .*create them, or set kafka\.create_topics"),
        ({"TINDON_KAFKA__EMBEDDED_PARTITIONS": "2"}, r"embedded has 1 partitions instead of 2.*grow 2"),
    ],
)  # fmt: skip
def test_a_worker_that_cannot_start_says_so_in_one_line(
    kafka: Kafka, name: str, tmp_path: Path, changes: dict[str, str], says: str
) -> None:
    with road(kafka.bootstrap, name, tmp_path) as kafka_road:
        kafka_road.variables |= changes
        worker = kafka_road.start_worker()
        assert worker.wait(60) == 1
        last = kafka_road.log_of(worker).splitlines()[-1]
        assert re.search(says, last)


def test_address_that_is_not_kafka_is_named(
    kafka: Kafka, elasticsearch_url: str, name: str, tmp_path: Path
) -> None:
    with road(kafka.bootstrap, name, tmp_path) as kafka_road:
        kafka_road.variables["TINDON_KAFKA__BOOTSTRAP"] = elasticsearch_url.removeprefix("http://")
        worker = kafka_road.start_worker()
        assert worker.wait(60) == 1
        assert "does not answer as Kafka" in kafka_road.log_of(worker).splitlines()[-1]
