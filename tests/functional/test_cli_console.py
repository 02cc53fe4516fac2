"""`tindon console` over an SQLite store, as a user meets it: a real process and its refusals."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deploy.local.ports import free_ports
from stores.sqlite import SqliteStore
from tests.console_scene import fill

CONSOLE = [sys.executable, "-m", "cli.main", "console"]


@pytest.fixture
def replayed(tmp_path: Path) -> Path:
    """A folder with a store in it, as `tindon replay --out` leaves one."""
    folder = tmp_path / "out"
    folder.mkdir()
    store = SqliteStore(folder / "tindon.sqlite")
    fill(store)
    store.close()
    return folder


def refused(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*CONSOLE, *arguments],
        capture_output=True, text=True, timeout=60, check=False, env={**os.environ, **env},
    )  # fmt: skip
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("tindon: ")
    assert done.stdout == ""
    return done


def alerts(address: str) -> list[str]:
    host, _, port = address.removeprefix("http://").rstrip("/").rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    try:
        connection.request("GET", "/api/alerts?limit=500")
        return [one["alert_id"] for one in json.loads(connection.getresponse().read())["items"]]
    finally:
        connection.close()


@pytest.mark.parametrize("way", ["folder", "file", "state folder"])
def test_serves_what_the_store_holds_and_ends_when_told_to(
    replayed: Path, way: str, state_dir: Path
) -> None:
    arguments = ["--port", "0"]
    if way == "state folder":
        replayed.rename(state_dir)
    else:
        path = replayed if way == "folder" else replayed / "tindon.sqlite"
        arguments += ["--path", str(path)]
    folder = state_dir if way == "state folder" else replayed
    store = SqliteStore(folder / "tindon.sqlite")
    wanted = [one.alert_id for one in store.alerts(limit=500)]
    store.close()
    with subprocess.Popen([*CONSOLE, *arguments], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.readline().split()
        try:
            assert said[0] == "console"
            assert said[-1] == str(folder / "tindon.sqlite")
            assert alerts(said[1]) == wanted
            assert wanted
        finally:
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            process.wait(30)
        assert time.monotonic() - began < 5


class TestRefusals:
    def test_no_store_yet_names_the_ways_to_one(self, state_dir: Path) -> None:
        done = refused("--port", "0")
        assert done.returncode == 1
        assert str(state_dir / "tindon.sqlite") in done.stderr
        assert "--store elasticsearch" in done.stderr
        assert not state_dir.exists(), "looking makes nothing"

    def test_folder_and_file_without_a_store(self, tmp_path: Path) -> None:
        done = refused("--port", "0", "--path", str(tmp_path))
        assert done.returncode == 1
        assert "holds no tindon.sqlite" in done.stderr
        assert "there is no file" in refused("--port", "0", "--path", str(tmp_path / "x")).stderr
        assert list(tmp_path.iterdir()) == []

    def test_file_that_is_no_store(self, tmp_path: Path) -> None:
        (tmp_path / "posts.jsonl").write_text('{"id": "1"}\n' * 200)
        done = refused("--port", "0", "--path", str(tmp_path / "posts.jsonl"))
        assert done.returncode == 1
        assert "no SQLite file" in done.stderr

    def test_port_that_is_taken(self, replayed: Path) -> None:
        with socket.socket() as holder:
            holder.bind(("127.0.0.1", 0))
            holder.listen()
            port = str(holder.getsockname()[1])
            done = refused("--path", str(replayed), "--port", port)
        assert done.returncode == 1
        assert f"port {port} on 127.0.0.1 is taken" in done.stderr

    def test_no_elasticsearch(self) -> None:
        nowhere = f"http://127.0.0.1:{free_ports(1)[0]}"
        done = refused("--port", "0", "--store", "elasticsearch", TINDON_ELASTICSEARCH__URL=nowhere)
        assert done.returncode == 1
        assert f"{nowhere} cannot be reached" in done.stderr

    def test_a_path_is_no_elasticsearch(self, replayed: Path) -> None:
        done = refused("--store", "elasticsearch", "--path", str(replayed))
        assert done.returncode == 2


def test_addresses_follow_the_ports_of_the_local_servers() -> None:
    """Whoever moves a server's port need not tell its clients too."""
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "config", "show", "--format", "json"],
        capture_output=True, text=True, timeout=60, check=True,
        env={
            **os.environ,
            "TINDON_SERVERS__KAFKA_PORT": "19999",
            "TINDON_SERVERS__ELASTICSEARCH_PORT": "29999",
            "TINDON_ELASTICSEARCH__URL": "http://search.example:9200",
        },
    )  # fmt: skip
    rows = json.loads(done.stdout)["settings"]
    assert rows["kafka.bootstrap"] == {"value": "127.0.0.1:19999", "origin": "servers.kafka_port"}
    assert rows["elasticsearch.url"]["value"] == "http://search.example:9200"
