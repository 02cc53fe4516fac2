"""The local servers keep their promises: start, health, restart with data, an end without trace."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic

from deploy.local import Elasticsearch, Kafka, ServerError, java, maven, memory, process, setup
from deploy.local.java import SHORT
from deploy.local.ports import free_ports, is_free
from deploy.local.server import Server

START_S = 180.0


@pytest.fixture
def broker(state_folder: Path) -> Iterator[Kafka]:
    server = Kafka(state_folder, *free_ports(2), java_options=SHORT)
    yield server
    server.stop()


@pytest.fixture
def node(state_folder: Path) -> Iterator[Elasticsearch]:
    server = Elasticsearch(state_folder, *free_ports(2), java_options=SHORT)
    yield server
    server.stop()


def _record(server: Server) -> process.Record:
    record = process.read_record(server.state_dir / "run" / f"{server.name}.pid")
    assert record is not None
    return record


def _assert_options(record: process.Record) -> None:
    """All of its Java processes have the options that were given."""
    lines = [Path(f"/proc/{pid}/cmdline").read_text() for pid in process.members(record)]
    found = [words for line in lines if (words := line.split("\0"))[0].endswith("/java")]
    assert found and all(set(SHORT) <= set(words) for words in found)


def _assert_gone(server: Server, record: process.Record) -> None:
    assert process.members(record) == []
    assert not server.running()
    assert all(is_free(port) for port in server.ports.values())


def test_kafka_starts_once_keeps_data_over_kill_and_ends_without_trace(broker: Kafka) -> None:
    said: list[str] = []
    broker.start(said.append)
    broker.wait(START_S, said.append)
    first = _record(broker)
    assert any("starting Kafka" in line for line in said)
    _assert_options(first)

    broker.start()
    assert _record(broker) == first, "a second start must not start a second broker"
    with pytest.raises(ServerError, match=f"kafka.port {broker.port}.*stop it first"):
        Kafka(broker.state_dir, *free_ports(2)).start()

    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
    admin.create_topics([NewTopic("kept", 1, 1)])
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap)
    assert producer.send("kept", b"before the kill").get(30).offset == 0
    producer.close()
    admin.close()

    broker.kill()
    _assert_gone(broker, first)
    broker.start()
    broker.wait(START_S)
    consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap, consumer_timeout_ms=20_000)
    consumer.assign([TopicPartition("kept", 0)])
    consumer.seek_to_beginning()
    assert next(consumer).value == b"before the kill"
    consumer.close()

    second = _record(broker)
    assert (broker.logs / "server.log").stat().st_size > 0
    broker.stop()
    broker.stop()
    _assert_gone(broker, second)


def test_topics_are_never_made_by_use(kafka: Kafka, fresh_name: Callable[[], str]) -> None:
    name = fresh_name()
    producer = KafkaProducer(bootstrap_servers=kafka.bootstrap, max_block_ms=2000)
    with pytest.raises(Exception, match=r"(?i)metadata|timeout|unknown"):
        producer.send(name, b"x").get(5)
    producer.close()
    admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    assert name not in admin.list_topics()
    admin.close()


def _request(node: Elasticsearch, method: str, path: str, body: object = None) -> dict[str, object]:
    connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=60)
    payload = None if body is None else json.dumps(body)
    connection.request(method, path, payload, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    parsed: dict[str, object] = json.loads(answer.read())
    connection.close()
    assert answer.status < 300, parsed
    return parsed


def test_elasticsearch_keeps_data_over_kill_and_ends_without_trace(node: Elasticsearch) -> None:
    node.start()
    node.wait(START_S)
    first = _record(node)
    node.start()
    assert _record(node) == first
    _assert_options(first)
    owners = {os.stat(f"/proc/{pid}").st_uid for pid in process.members(first)}
    assert 0 not in owners, "Elasticsearch must not run as root"
    _request(node, "PUT", "/kept/_doc/1?refresh=true", {"text": "before the kill"})

    node.kill()
    _assert_gone(node, first)
    node.start()
    node.wait(START_S)
    _request(node, "GET", "/_cluster/health/kept?wait_for_status=yellow&timeout=60s")
    assert _request(node, "GET", "/kept/_doc/1")["_source"] == {"text": "before the kill"}

    second = _record(node)
    node.stop()
    node.stop()
    _assert_gone(node, second)


def test_elasticsearch_9_starts(state_folder: Path) -> None:
    try:
        java.find_java(21)
    except ServerError as exc:
        pytest.skip(str(exc))
    node = Elasticsearch(state_folder, *free_ports(2), version="9.1.3", java_options=SHORT)
    node.start()
    try:
        node.wait(START_S)
        nodes = _request(node, "GET", "/_nodes/_local?filter_path=nodes.*.version")["nodes"]
        assert isinstance(nodes, dict)
        assert [one["version"] for one in nodes.values()] == ["9.1.3"]
    finally:
        node.stop()


def test_taken_port_is_named_with_its_holder_and_setting(state_folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        broker = Kafka(state_folder, port, *free_ports(1))
        wanted = rf"port {port} is taken by pid {os.getpid()} .*: set kafka.port or stop it"
        with pytest.raises(ServerError, match=wanted):
            broker.start()
        node = Elasticsearch(state_folder, *free_ports(1), port)
        with pytest.raises(ServerError, match=r"set elasticsearch\.transport_port"):
            node.start()
    assert not broker.running() and not node.running()


def test_a_reused_process_id_is_never_ended(state_folder: Path) -> None:
    broker = Kafka(state_folder, *free_ports(2))
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"],
                                 start_new_session=True)  # fmt: skip
    try:
        stale = process.Record(bystander.pid, 0, "token of a server that is gone", broker.ports)
        (state_folder / "run").mkdir()
        stale.save(state_folder / "run" / "kafka.pid")
        assert not broker.running()
        broker.stop()
        broker.kill()
        assert bystander.poll() is None
    finally:
        bystander.send_signal(signal.SIGKILL)
        bystander.wait()


def test_a_server_that_ends_at_start_says_why(broker: Kafka) -> None:
    broker.start()
    broker.kill()
    broker.console.write_text("INFO all fine\nERROR disk on fire\nINFO bye\n")
    with pytest.raises(ServerError, match=r"Kafka ended at start \(ERROR disk on fire\).*logs"):
        broker.wait(5)


def test_too_little_memory_is_refused_before_anything_starts(state_folder: Path) -> None:
    broker = Kafka(state_folder, *free_ports(2), heap="9000g")
    with pytest.raises(ServerError, match=r"Kafka needs \d+ MiB and \d+ MiB are free: set kafka"):
        broker.start()
    assert not broker.running()
    with pytest.raises(ServerError, match="write it as 512m or 1g"):
        Kafka(state_folder, heap="lots")
    assert memory.heap_bytes("512m") == 512 << 20


def test_java_missing_or_too_old_is_one_line_with_the_mend(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(ServerError, match=r"older than 99: install it .* or set JAVA_HOME"):
        java.find_java(99)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(java, "_JVM_FOLDER", tmp_path)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ServerError, match=r"no Java found, 17 or newer .* apt-get install openjdk"):
        java.find_java(17)


def test_mvn_missing_is_one_line_with_the_mend(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TINDON_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    broker = Kafka(tmp_path, *free_ports(2))
    with pytest.raises(ServerError, match="mvn is not installed: apt-get install maven"):
        broker._files(lambda _: None)


def test_a_damaged_file_in_the_cache_is_fetched_again_and_a_foreign_one_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    small = maven.Bundle("small", ("org.slf4j:slf4j-api:1.7.36:jar",), closure=True)
    lock = tmp_path / "artifacts.lock"
    monkeypatch.setenv("TINDON_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(maven, "_LOCK", lock)
    assert maven.write_lock([small]) == 1
    [jar] = maven.fetch(small, lambda _: None)
    good = jar.read_bytes()
    said: list[str] = []
    maven.fetch(small, said.append)
    assert said == [], "what is in the cache is not downloaded again"

    jar.write_bytes(good[:-1])
    [jar] = maven.fetch(small, said.append)
    assert said == ["downloading small (once)"] and jar.read_bytes() == good

    lock.write_text(f"{'0' * 64}  small/{jar.name}\n")
    with pytest.raises(ServerError, match=r"slf4j-api-1.7.36.jar of small is not the file"):
        maven.fetch(small, lambda _: None)


def test_setup_names_what_a_bare_machine_lacks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert "maven" not in setup.missing_packages(chromium=False), "the tests themselves need it"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert setup.missing_packages(chromium=True)[-2:] == ["maven", "chromium"]
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(java, "_JVM_FOLDER", tmp_path)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert setup.missing_packages(chromium=False) == ["openjdk-17-jre-headless", "maven"]
