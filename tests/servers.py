"""Real servers for the tests that need them: started on demand, one of each per test session.

Processes that run tests side by side share them; the one that hands out the tests ends them.
With TINDON_TEST_STATE set to the state folder of servers that run already, those are used and
left running. Tests have to use names of their own (fixture `fresh_name`).
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local import Elasticsearch, Kafka
from deploy.local.java import SHORT
from deploy.local.ports import free_ports
from deploy.local.process import read_record

START_S = 180.0  # two busy cores; a quiet machine needs 5 s for Kafka and 10 s for Elasticsearch


class EagerKafka(Kafka):
    """As `tindon up` starts it, but it looks each second for what can be compacted, not each 15 s."""

    def _settings(self) -> list[tuple[str, object]]:
        return [*super()._settings(), ("log.cleaner.backoff.ms", 1000)]


SHARED = pytest.StashKey[Path]()
SERVERS: dict[str, type[Kafka] | type[Elasticsearch]] = {
    "kafka": EagerKafka,
    "elasticsearch": Elasticsearch,
}


@pytest.fixture(scope="session")
def kafka(servers_state: Path) -> Kafka:
    """A running broker. Do not stop or kill it: other tests use it."""
    found = _running(servers_state, "kafka")
    assert isinstance(found, Kafka)
    return found


@pytest.fixture(scope="session")
def elasticsearch(servers_state: Path) -> Elasticsearch:
    """A running node. Do not stop or kill it: other tests use it."""
    found = _running(servers_state, "elasticsearch")
    assert isinstance(found, Elasticsearch)
    return found


@pytest.fixture(scope="session")
def elasticsearch_url(elasticsearch: Elasticsearch) -> str:
    return elasticsearch.url


@pytest.fixture(scope="session")
def servers_state(request: pytest.FixtureRequest) -> Iterator[Path]:
    given = getattr(request.config, "workerinput", {}).get("servers_state")
    if given or os.environ.get("TINDON_TEST_STATE"):
        yield Path(given or os.environ["TINDON_TEST_STATE"])
        return
    for folder in _folder():
        yield folder
        _end(folder)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tells a process of a parallel session where the servers of all of them are."""
    if not os.environ.get("TINDON_TEST_STATE"):
        folder = node.config.stash.get(SHARED, None) or _made()
        node.config.stash[SHARED] = folder
        node.workerinput["servers_state"] = str(folder)


def pytest_configure(config: pytest.Config) -> None:
    """SIGTERM ends the session as Ctrl-C does, so that no server outlives it."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)


def pytest_unconfigure(config: pytest.Config) -> None:
    if folder := config.stash.get(SHARED, None):
        _end(folder)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def state_folder() -> Iterator[Path]:
    """A fresh folder that the servers' system users can enter (pytest's own is closed to them)."""
    yield from _folder()


@pytest.fixture
def fresh_name() -> Callable[[], str]:
    """Makes names for topics, groups and indices that no other test uses."""
    return lambda: f"test-{uuid.uuid4().hex[:12]}"


def _folder() -> Iterator[Path]:
    folder = _made()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def _made() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="tindon-test-"))
    folder.chmod(0o755)
    return folder


def _running(state: Path, name: str) -> Kafka | Elasticsearch:
    """The server of that folder; started by whoever asks first."""
    with (state / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        server = _at(state, name)
        server.start()
    server.wait(START_S)
    return server


def _at(state: Path, name: str) -> Kafka | Elasticsearch:
    """At the ports of the one that runs there, or at free ones."""
    record = read_record(state / "run" / f"{name}.pid")
    ports = list(record.ports.values()) if record is not None else free_ports(2)
    return SERVERS[name](state, *ports, java_options=SHORT)


def _end(state: Path) -> None:
    for name in SERVERS:
        _at(state, name).stop()
