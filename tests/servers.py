"""Real servers for the tests that need them: started on demand, one of each per test session.

With TINDON_TEST_STATE set to the state folder of servers that run already, those are used and
left running; tests then have to use names of their own (fixture `fresh_name`).
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from deploy.local import Elasticsearch, Kafka
from deploy.local.ports import free_ports
from deploy.local.process import read_record

S = TypeVar("S", Kafka, Elasticsearch)

START_S = 180.0  # two busy cores; a quiet machine needs 5 s for Kafka and 15 s for Elasticsearch


@pytest.fixture(scope="session")
def kafka(servers_state: Path) -> Iterator[Kafka]:
    """A running broker. Do not stop or kill it: other tests use it."""
    server = Kafka(servers_state, *_ports(servers_state, "kafka"))
    yield from _running(server)


@pytest.fixture(scope="session")
def elasticsearch(servers_state: Path) -> Iterator[Elasticsearch]:
    """A running node. Do not stop or kill it: other tests use it."""
    server = Elasticsearch(servers_state, *_ports(servers_state, "elasticsearch"))
    yield from _running(server)


@pytest.fixture(scope="session")
def elasticsearch_url(elasticsearch: Elasticsearch) -> str:
    return elasticsearch.url


@pytest.fixture(scope="session")
def servers_state() -> Iterator[Path]:
    if os.environ.get("TINDON_TEST_STATE"):
        yield Path(os.environ["TINDON_TEST_STATE"])
    else:
        yield from _folder()


@pytest.fixture
def state_folder() -> Iterator[Path]:
    """A fresh folder that the servers' system users can enter (pytest's own is closed to them)."""
    yield from _folder()


@pytest.fixture
def fresh_name() -> Callable[[], str]:
    """Makes names for topics, groups and indices that no other test uses."""
    return lambda: f"test-{uuid.uuid4().hex[:12]}"


def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="tindon-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def _ports(state: Path, name: str) -> list[int]:
    """Ports of the server that runs there, or free ones."""
    record = read_record(state / "run" / f"{name}.pid")
    return list(record.ports.values()) if record is not None else free_ports(2)


@pytest.fixture(scope="session", autouse=True)
def end_in_order_when_told_to() -> Iterator[None]:
    """SIGTERM ends the session as Ctrl-C does, so that no server outlives it."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    yield
    signal.signal(signal.SIGTERM, before)


def _running(server: S) -> Iterator[S]:
    shared = server.running()
    server.start()
    try:
        server.wait(START_S)
        yield server
    finally:
        if not shared:
            server.stop()
