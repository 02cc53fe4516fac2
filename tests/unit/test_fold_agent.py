"""The folds as agents: the next delivery is folded while the last one's messages are on their way, and no
checkpoint covers what has not arrived."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import config
from agents.kafka.app import Road
from agents.kafka.cluster import ClusterStage
from agents.kafka.metrics import Metrics
from streams.broker import Broker
from streams.checkpoints.disk import DiskCheckpoints
from streams.codec import encode
from streams.topics import Topics
from tests.agent_scene import Log, turns
from tests.fold_scene import DAY, DOOR, drawn_log, frame

GENERATION = 1


class Alone(ClusterStage):
    """The agent without Kafka: what it acknowledges, and why it would end, are kept."""

    def __init__(self, folder: Path) -> None:
        settings = config.load(env={"TINDON_STATE_DIR": str(folder)}).settings
        self.log = Log()
        self.errors: list[BaseException] = []
        producer: Any = self.log
        road = Road(
            settings, Broker(settings), Topics(settings), producer, Metrics(), self.errors.append
        )
        super().__init__(road, DOOR, DiskCheckpoints(folder))
        self.app.consumer_generation_id = GENERATION
        self.acked: list[Any] = []

    async def ack(self, event: Any) -> None:
        self.acked.append(event)


def deliveries(count: int) -> list[Any]:
    """Each a frame with ticks in it, so that each brings a change at least."""
    read = drawn_log(1, 40 * count, window_ms=DAY)
    found = []
    for offset in range(count):
        part = [*read[40 * offset : 40 * (offset + 1)]]
        record = SimpleNamespace(
            topic="posts.embedded", partition=0, offset=offset, timestamp=1, headers=(),
            value=encode(frame(part, first=40 * offset)),
        )  # fmt: skip
        message = SimpleNamespace(partition=0, generation_id=GENERATION)
        found.append(SimpleNamespace(value=[record], message=message, acked=False))
    return found


async def begun(folder: Path) -> Alone:
    stage = Alone(folder)
    await stage._checkpoints.start()
    return stage


def test_the_next_delivery_is_folded_while_the_last_one_is_on_its_way(tmp_path: Path) -> None:
    async def road() -> None:
        stage = await begun(tmp_path)
        first, second = deliveries(2)
        await asyncio.wait_for(stage.take(first), 20)
        await turns()
        sent = len(stage.log.sent)
        assert sent
        taking = asyncio.ensure_future(stage.take(second))
        await asyncio.wait({taking}, timeout=0.3)
        fold = stage._held[0].state.fold
        assert fold.sequence > sent, "folded"
        assert len(stage.log.sent) == sent, "and not sent before the first has arrived"
        for one in stage.log.sent[:sent]:
            one.set_result(None)
        await asyncio.wait_for(taking, 20)
        await turns()
        assert len(stage.log.sent) > sent
        saving = asyncio.ensure_future(stage.save(releasing=False))
        await asyncio.wait({saving}, timeout=0.3)
        assert not saving.done() and stage.acked == [], "no checkpoint before all has arrived"
        assert not list(tmp_path.glob("cluster-0.?"))
        for one in stage.log.sent[sent:]:
            one.set_result(None)
        await asyncio.wait_for(saving, 20)
        assert list(tmp_path.glob("cluster-0.?"))
        assert stage.acked == [first, second]

    asyncio.run(road())


def test_messages_that_cannot_be_delivered_end_the_worker_without_a_checkpoint(
    tmp_path: Path,
) -> None:
    async def road() -> None:
        stage = await begun(tmp_path)
        first, second = deliveries(2)
        await stage.take(first)
        await turns()
        sent = len(stage.log.sent)
        for one in stage.log.sent:
            one.set_exception(OSError("the log is away"))
        await turns()
        assert [str(error) for error in stage.errors] == ["the log is away"]
        with pytest.raises(OSError, match="the log is away"):
            await stage.take(second)
        assert len(stage.log.sent) == sent
        await stage.save(releasing=True)
        assert stage.acked == [] and not list(tmp_path.glob("cluster-0.?"))

    asyncio.run(road())
