"""The embed agent: frames of one partition follow each other without a hole, and no other waits for them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import config
from agents.kafka.app import Road
from agents.kafka.embed import EmbedStage
from agents.kafka.metrics import Metrics
from embeddings.door import Door
from streams.broker import Broker
from streams.topics import Topics
from tests.agent_scene import Log, turns
from tests.fold_scene import DOOR, START


class Alone(EmbedStage):
    """The agent without Kafka: what it acknowledges, and why it would end, are kept."""

    def __init__(self, folder: Path, door: Door = DOOR) -> None:
        settings = config.load(env={"TINDON_STATE_DIR": str(folder)}).settings
        broker = Broker(settings)
        self.log = Log()
        self.errors: list[BaseException] = []
        producer: Any = self.log
        road = Road(settings, broker, Topics(settings), producer, Metrics(), self.errors.append)
        super().__init__(road, door, "origin")
        self.acked: list[Any] = []

    async def ack(self, event: Any) -> None:
        self.acked.append(event)


def delivery(partition: int, offset: int) -> Any:
    raw = json.dumps(
        {"id": f"{partition}-{offset}", "text": "xin chào", "created_at": START}
    ).encode()
    record = SimpleNamespace(
        topic="posts", partition=partition, offset=offset, timestamp=START, value=raw, headers=()
    )
    message = SimpleNamespace(partition=partition, generation_id=1)
    return SimpleNamespace(value=[record], message=message, acked=False)


def test_a_frame_waits_for_the_one_before_it_of_its_own_partition(tmp_path: Path) -> None:
    async def road() -> None:
        stage = Alone(tmp_path)
        first, other, second = delivery(0, 1), delivery(1, 1), delivery(0, 2)
        await asyncio.wait_for(stage.take(first), 20)
        await asyncio.wait_for(stage.take(other), 20)
        assert len(stage.log.sent) == 2 and stage.acked == []
        taking = asyncio.ensure_future(stage.take(second))
        await asyncio.wait({taking}, timeout=0.3)
        assert len(stage.log.sent) == 2, "the first frame of partition 0 is not delivered yet"
        stage.log.sent[0].set_result(None)
        await asyncio.wait_for(taking, 20)
        assert len(stage.log.sent) == 3 and stage.acked == [first]
        for sent in stage.log.sent[1:]:
            sent.set_result(None)
        await turns()
        assert stage.acked == [first, other, second]

    asyncio.run(road())


def test_a_frame_that_cannot_be_delivered_ends_the_worker(tmp_path: Path) -> None:
    async def road() -> None:
        stage = Alone(tmp_path)
        await stage.take(delivery(0, 1))
        stage.log.sent[0].set_exception(OSError("the log is away"))
        await turns()
        assert [str(error) for error in stage.errors] == ["the log is away"]
        with pytest.raises(OSError, match="the log is away"):
            await stage.take(delivery(0, 2))
        assert stage.acked == [] and len(stage.log.sent) == 1

    asyncio.run(road())
