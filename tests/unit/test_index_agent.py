"""The index agent: posts first, the rest beside them, nothing acknowledged before it is stored."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

import agents.kafka.later
import config
from agents.kafka.app import Road
from agents.kafka.dead import RAW_BYTES, refused
from agents.kafka.documents import pack
from agents.kafka.index import IndexStage
from agents.kafka.later import Later
from agents.kafka.metrics import Metrics
from agents.kafka.producer import Producer
from agents.kafka.writer import Outage, Writer
from stores import StoreUnavailable
from stores.sqlite import SqliteStore
from streams.broker import Broker
from streams.documents import Batch, PostDocument
from streams.topics import Topics
from tests.contracts.store_documents import post, rumor


class Slow(SqliteStore):
    """Takes posts at once, and anything else only when it is let."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.let = threading.Event()

    def write(self, batch: Batch) -> int:
        if batch.rumors:
            self.let.wait(30)
        return super().write(batch)


class Away(SqliteStore):
    """Is away for the first writes."""

    fails = 2

    def write(self, batch: Batch) -> int:
        if self.fails:
            self.fails -= 1
            raise StoreUnavailable("the store is away: wait for it.")
        return super().write(batch)


class Alone(IndexStage):
    """The agent without Kafka: what it acknowledges is kept."""

    def __init__(self, store: Any, folder: Path) -> None:
        variables = {"TINDON_STATE_DIR": str(folder)}
        settings = config.load(env=variables).settings
        broker = Broker(settings)
        road = Road(
            settings, broker, Topics(settings), Producer(broker), Metrics(), failed=self._fail
        )
        super().__init__(road, store)
        self.acked: list[Any] = []

    def _fail(self, error: BaseException) -> None:
        raise AssertionError(error)

    async def ack(self, event: Any) -> None:
        self.acked.append(event)


def delivery(*documents: Any) -> Any:
    now = int(1_000 * time.time())
    records = [
        SimpleNamespace(topic="t", partition=0, offset=n, timestamp=now, value=pack(one))
        for n, one in enumerate(documents)
    ]
    return SimpleNamespace(value=records)


async def until(what: Any) -> None:
    while not what():
        await asyncio.sleep(0.01)


def test_posts_are_stored_while_a_write_of_rumors_is_under_way(tmp_path: Path) -> None:
    store = Slow(tmp_path / "s.sqlite")

    async def road() -> None:
        stage = Alone(store, tmp_path)
        stage.background(stage._write_later)
        first, second = delivery(post("p1"), rumor("r1")), delivery(post("p2"))
        await asyncio.wait_for(stage.take(first), 20)
        await asyncio.wait_for(stage.take(second), 20)
        assert {one.post_id for one in store.posts("r1")} == {"p1", "p2"}
        assert stage.acked == [second], "the first one's rumor is not stored"
        store.let.set()
        await asyncio.wait_for(until(lambda: len(stage.acked) == 2), 20)
        assert store.rumor("r1") is not None
        for task in stage._tasks:
            task.cancel()

    asyncio.run(road())
    store.close()


def test_a_release_waits_for_what_is_under_way_but_not_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agents.kafka.index.LATER_S", 600.0)
    monkeypatch.setattr("agents.kafka.index.RELEASE_S", 0.2)
    store = Slow(tmp_path / "s.sqlite")

    async def road() -> None:
        stage = Alone(store, tmp_path)
        stage.background(stage._write_later)
        await stage.take(delivery(rumor("r1")))
        await stage.release()
        assert stage.acked == []
        store.let.set()
        await asyncio.wait_for(until(lambda: len(stage.acked) == 1), 20)
        await stage.take(delivery(rumor("r2")))  # would wait for LATER_S now
        monkeypatch.setattr("agents.kafka.index.RELEASE_S", 20.0)
        await stage.release()
        assert len(stage.acked) == 2 and store.rumor("r2") is not None
        for task in stage._tasks:
            task.cancel()

    asyncio.run(road())
    store.close()


def test_of_a_document_that_waits_only_the_newest_version_is_written() -> None:
    async def road() -> None:
        later = Later()
        await later.add([rumor("r1", version=2)], "a")
        await later.add([rumor("r1", version=3), rumor("r2", version=1)], "b")
        await later.add([rumor("r1", version=1)], "c")
        portion = await later.portion()
        assert {(d.rumor_id, d.version) for d in portion.documents} == {("r1", 3), ("r2", 1)}  # type: ignore[union-attr]
        assert portion.events == ["a", "b", "c"]
        waiting = asyncio.ensure_future(later.empty())
        await asyncio.sleep(0)
        assert not waiting.done(), "it is under way"
        await later.written()
        await asyncio.wait_for(waiting, 20)

    asyncio.run(road())


def test_no_more_waits_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agents.kafka.later, "MOST", 2)

    async def road() -> None:
        later = Later()
        many = [rumor(f"r{n}") for n in range(3)]
        adding = asyncio.ensure_future(later.add(many, "a"))
        for _ in range(5):
            await asyncio.sleep(0)
        assert not adding.done(), "nothing more is read meanwhile"
        await later.portion()
        await asyncio.wait_for(adding, 20)

    asyncio.run(road())


def test_an_outage_is_told_once_with_its_end_and_the_catching_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    metrics = Metrics()
    store = Away(tmp_path / "s.sqlite")

    async def road() -> None:
        outage = Outage(metrics)
        writer = Writer("test", store, metrics, outage)
        assert await writer.write(Batch(posts=[post("p1")])) == []
        outage.reached(time.time() - 60)  # written to the log a minute ago: still behind
        outage.reached(time.time())
        outage.reached(time.time())

    with caplog.at_level(logging.INFO):
        asyncio.run(road())
    told = [record.getMessage() for record in caplog.records]
    beginnings = ("the store takes no writes", "the store takes writes again", "caught up")
    assert len(told) == 3 and all(map(str.startswith, told, beginnings))
    assert metrics.registry.get_sample_value("tindon_store_unavailable_total") == 2
    assert [one.post_id for one in store.posts("r1")] == ["p1"]
    store.close()


def test_a_refused_document_is_in_its_letter() -> None:
    document = post("p1")
    letter = refused("t.alerts", "t.alerts/post:p1", document, "post:p1: too long")
    assert msgspec.json.decode(letter.raw, type=PostDocument) == document
    long = post("p2", text="x" * RAW_BYTES)
    assert refused("t.alerts", "k", long, "why").raw == ""
