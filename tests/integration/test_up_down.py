"""`tindon up` to `tindon down`, as a user meets them: real servers, and no trace after."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli import main as entry
from deploy.local import java
from deploy.local.ports import free_ports, is_free
from deploy.local.process import read_record
from stores.sqlite import SqliteStore
from streams.sources.scenario import generate

POSTS = 900  # of the invented day: the first hours, in which alerts are raised
FOLDED_S = 60.0
PORTS = (
    "SERVERS__KAFKA_PORT",
    "SERVERS__CONTROLLER_PORT",
    "SERVERS__ELASTICSEARCH_PORT",
    "SERVERS__TRANSPORT_PORT",
    "WORKER__METRICS_PORT",
    "CONSOLE__PORT",
)


class House:
    """One state folder, with ports of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        kept = {k: v for k, v in os.environ.items() if not k.startswith("TINDON_")}
        if "TINDON_CACHE" in os.environ:
            kept["TINDON_CACHE"] = os.environ["TINDON_CACHE"]
        self.environment = kept | {f"TINDON_{name}": str(n) for name, n in self.ports.items()}
        self.environment |= {
            "TINDON_STATE_DIR": str(folder / "state"),
            "TINDON_SERVERS__ELASTICSEARCH_HEAP": "512m",
            "TINDON_KAFKA__POSTS_PARTITIONS": "1",
            "TINDON_TIME__TICKS": "event",
            "TINDON_WORKER__SESSION_S": "6",  # for so long the group waits for a killed worker
            "TINDON_INTAKE__PSEUDONYM_KEY": "0123456789abcdef0123456789abcdef",
            "OPENBLAS_NUM_THREADS": "1",
        }

    def tindon(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "cli.main", *arguments],
            capture_output=True, text=True, timeout=240, check=False,
            env=self.environment | env,
        )  # fmt: skip

    def run(self, *arguments: str, **env: str) -> str:
        done = self.tindon(*arguments, **env)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    def refused(self, *arguments: str, code: int = 1, **env: str) -> str:
        """The one line that a failing command says; the log's own lines beside it do not count."""
        done = self.tindon(*arguments, **env)
        assert done.returncode == code, f"{done.stdout}\n{done.stderr}"
        said = [line for line in done.stderr.splitlines() if line.startswith("tindon: ")]
        assert len(said) == 1, done.stderr
        assert done.stderr.splitlines()[-1] == said[0]
        assert "Traceback" not in done.stderr
        return said[0]

    def api(self, path: str) -> Any:
        status, answer = self.get(path)
        assert status == 200, answer
        return answer

    def get(self, path: str) -> tuple[int, Any]:
        """Status and JSON of the console's answer."""
        port = self.ports["CONSOLE__PORT"]
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def stored(self) -> dict[str, int] | None:
        """Documents by kind; None for the moment in which Elasticsearch makes an index."""
        status, answer = self.get("/health")
        return answer["store"] if status == 200 else None

    def processes(self) -> list[int]:
        """Every process that knows this state folder, by command line or environment."""
        mark = str(self.folder).encode()
        found = []
        for one in Path("/proc").iterdir():
            if not one.name.isdigit() or int(one.name) == os.getpid():
                continue
            try:
                known = (one / "cmdline").read_bytes() + (one / "environ").read_bytes()
            except OSError:
                continue
            if mark in known:
                found.append(int(one.name))
        return found

    def pid(self, name: str) -> int:
        record = read_record(self.folder / "state" / "run" / f"{name}.pid")
        assert record is not None
        return record.pid

    def assert_no_trace(self) -> None:
        assert self.processes() == []
        assert [port for port in self.ports.values() if not is_free(port)] == []


def _house() -> Iterator[House]:
    folder = Path(tempfile.mkdtemp(prefix="tindon-test-"))
    folder.chmod(0o755)  # the servers' system users have to enter it
    house = House(folder)
    try:
        yield house
    finally:
        house.tindon("down")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def house() -> Iterator[House]:
    """Nothing runs in it."""
    yield from _house()


@pytest.fixture(scope="module")
def living() -> Iterator[House]:
    """All of it runs."""
    for house in _house():
        house.run("up")
        yield house


@pytest.mark.kafka
@pytest.mark.elasticsearch
class TestLife:
    """In the order of a day; the servers start once for all of it."""

    def test_up_tells_where_everything_listens(self, living: House) -> None:
        said = living.run("status")
        for name in ("SERVERS__KAFKA_PORT", "WORKER__METRICS_PORT", "CONSOLE__PORT"):
            assert f"127.0.0.1:{living.ports[name]}" in said
        assert said.count(" runs") == 4
        assert all(not is_free(port) for port in living.ports.values())

    def test_second_up_starts_nothing(self, living: House) -> None:
        before = sorted(living.processes())
        said = living.run("up")
        assert said.count("ran already") == 4
        assert said.count("as they should be") == 2
        assert sorted(living.processes()) == before

    def test_servers_run_unprivileged(self, living: House) -> None:
        state = living.folder / "state" / "servers" / "run"
        for name in ("kafka", "elasticsearch"):
            record = read_record(state / f"{name}.pid")
            assert record is not None
            assert Path(f"/proc/{record.pid}").stat().st_uid != 0

    def test_ingested_posts_become_the_alerts_of_a_replay(self, living: House) -> None:
        posts = living.folder / "posts.jsonl"
        lines = [json.dumps(post, ensure_ascii=False) for post in generate()[:POSTS]]
        posts.write_text("\n".join(lines) + "\n", encoding="utf-8")
        living.run("replay", str(posts), "--out", str(living.folder / "out"))
        store = SqliteStore(living.folder / "out" / "tindon.sqlite")
        wanted = {one.alert_id: one.level for one in store.alerts(limit=500)}
        counts = store.counts()
        store.close()
        assert wanted, "the file must be long enough to raise an alert"

        said = living.run("ingest", str(posts))
        assert said.startswith(f"{POSTS} records")
        deadline = time.monotonic() + FOLDED_S
        while living.stored() != counts and time.monotonic() < deadline:
            time.sleep(0.5)
        assert living.stored() == counts
        shown = living.api("/api/alerts?limit=500")["items"]
        assert {one["alert_id"]: one["level"] for one in shown} == wanted

    def test_doctor_finds_all_good(self, living: House) -> None:
        rows = json.loads(living.run("doctor", "--format", "json"))
        found = {row["name"]: row for row in rows}
        names = {"kafka", "topics", "elasticsearch", "templates", "java", "memory"}
        assert [name for name in sorted(names) if not found[name]["good"]] == []
        assert found["elasticsearch"]["detail"].startswith("8.19")
        assert "tindon up" in found["console port"]["detail"]

    def test_apply_plans_before_it_changes(self, living: House) -> None:
        longer = {"TINDON_KAFKA__POSTS_RETENTION_H": "48", "TINDON_STORE__PREFIX": "other-"}
        for option in (["--dry-run"], []):  # the dry run changed nothing: it is done after it
            plan = living.run("apply", *option, **longer)
            assert "alter tindon.posts: retention.ms from 86400000 to 172800000" in plan
            assert "create index template other-alerts" in plan
        assert living.run("apply", **longer).count("as they should be") == 2
        found = {row["name"]: row for row in json.loads(living.run("doctor", "--format", "json"))}
        assert found["topics"]["mend"] == "run `tindon apply`"

    def test_apply_refuses_another_count_of_partitions(self, living: House) -> None:
        said = living.refused("apply", TINDON_KAFKA__POSTS_PARTITIONS="3")
        assert "set kafka.posts_partitions to 1" in said

    def test_a_part_that_died_is_told_and_started_again(self, living: House) -> None:
        gone = living.pid("worker-1")
        os.kill(gone, signal.SIGKILL)
        while gone in living.processes():
            time.sleep(0.05)
        assert "worker 1" in living.refused("status")
        said = living.run("up")
        assert said.count("ran already") == 3
        assert "worker 1" in said
        assert living.pid("worker-1") != gone

    def test_ports_that_changed_meanwhile_are_refused(self, living: House) -> None:
        other = str(free_ports(1)[0])
        said = living.refused("up", TINDON_CONSOLE__PORT=other)
        assert f"console.port {living.ports['CONSOLE__PORT']}" in said
        assert "tindon down" in said

    def test_down_leaves_no_process_and_no_port(self, living: House) -> None:
        os.kill(living.pid("console"), signal.SIGKILL)  # some may be gone already
        workers_log = living.folder / "state" / "log" / "worker-1.log"
        assert living.run("down") == "stopped worker 1, Elasticsearch, Kafka\n"
        assert "without waiting" not in workers_log.read_text()
        living.assert_no_trace()
        assert living.run("down").startswith("nothing ran")


class TestRefusals:
    """Each is one line with the mend, and leaves nothing behind."""

    @pytest.mark.parametrize(
        "name", ["SERVERS__KAFKA_PORT", "WORKER__METRICS_PORT", "CONSOLE__PORT"]
    )
    def test_port_that_is_taken(self, house: House, name: str) -> None:
        with socket.socket() as holder:
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            holder.bind(("127.0.0.1", house.ports[name]))
            holder.listen()
            said = house.refused("up")
        assert f"port {house.ports[name]} is taken by pid {os.getpid()} (" in said
        assert f"TINDON_{name}" in said
        house.assert_no_trace()

    def test_two_parts_on_one_port(self, house: House) -> None:
        said = house.refused("up", TINDON_CONSOLE__PORT=str(house.ports["SERVERS__KAFKA_PORT"]))
        assert "console.port and servers.kafka_port are both" in said

    def test_not_enough_memory(self, house: House) -> None:
        said = house.refused("up", TINDON_SERVERS__KAFKA_HEAP="9000g")
        assert "MiB are free" in said
        assert "servers.kafka_heap" in said
        house.assert_no_trace()

    def test_maven_missing(self, house: House) -> None:
        empty = str(house.folder / "empty")
        said = house.refused("up", PATH=empty, TINDON_CACHE=str(house.folder / "cache"))
        assert "mvn is not installed: apt-get install maven" in said
        house.assert_no_trace()

    @pytest.mark.parametrize(
        ("version", "says"), [("11.0.2", "Java 11 at"), (None, "no Java found")]
    )
    def test_java_too_old_or_missing(
        self,
        house: House,
        version: str | None,
        says: str,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        home = house.folder / "jdk"
        if version is not None:
            (home / "bin").mkdir(parents=True)
            (home / "bin" / "java").write_text(f"#!/bin/sh\necho 'version \"{version}\"' >&2\n")
            (home / "bin" / "java").chmod(0o755)
        monkeypatch.setattr(java, "_homes", lambda: iter([home]))
        for name, value in house.environment.items():
            monkeypatch.setenv(name, value)
        assert entry.main(["up"]) == 1
        said = capsys.readouterr().err.splitlines()[-1]
        assert says in said
        assert "openjdk-17-jre-headless" in said
        house.assert_no_trace()

    def test_worker_without_kafka(self, house: House) -> None:
        said = house.refused("up", "--only", "worker", TINDON_KAFKA__WAIT_S="1")
        assert f"no Kafka at 127.0.0.1:{house.ports['SERVERS__KAFKA_PORT']}" in said

    def test_console_without_elasticsearch(self, house: House) -> None:
        said = house.refused("up", "--only", "console")
        assert f"http://127.0.0.1:{house.ports['SERVERS__ELASTICSEARCH_PORT']} cannot be" in said
        assert "`tindon up`" in said

    def test_address_of_another_server(self, house: House) -> None:
        said = house.refused("up", code=2, TINDON_KAFKA__BOOTSTRAP="kafka.example:9092")
        assert "from TINDON_KAFKA__BOOTSTRAP" in said
        assert "--only elasticsearch,worker,console" in said

    @pytest.mark.parametrize("only", ["", "kafka,zookeeper"])
    def test_part_that_is_none(self, house: House, only: str) -> None:
        assert "kafka, elasticsearch, worker, console" in house.refused(
            "up", "--only", only, code=2
        )

    @pytest.mark.kafka
    def test_slow_start_is_told_and_undone(self, house: House) -> None:
        said = house.refused("up", "--only", "kafka", "--wait", "1")
        assert "Kafka did not answer within 1 s" in said
        house.assert_no_trace()

    @pytest.mark.elasticsearch
    def test_server_that_ends_at_start_is_told_with_its_reason(self, house: House) -> None:
        heap = {"TINDON_SERVERS__ELASTICSEARCH_HEAP": "2m"}
        said = house.refused("up", "--only", "elasticsearch", **heap)
        assert "Elasticsearch ended at start" in said
        assert "/logs/elasticsearch" in said
        house.assert_no_trace()
