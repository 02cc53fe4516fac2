"""Wall time on the road: the worker with partition 0 of `posts` lets time pass everywhere."""

from __future__ import annotations

import asyncio
import time

from agents.kafka.app import Road
from agents.kafka.embed import EmbedStage
from agents.kafka.producer import delivered
from embeddings.door import Door, build_frame
from streams.codec import encode
from streams.records import Frame
from streams.validation import Tick

ORIGIN = "ticks"
"""Origin of tick frames; their offset is their time, so that a tick that is not newer is skipped."""


def tick_frame(door: Door, at: int) -> Frame:
    """A frame that holds one tick, `at` ms since 1970."""
    return build_frame(door, [(at, Tick(at))], origin=ORIGIN, partition=0).frame


async def send_ticks(road: Road, door: Door, stage: EmbedStage) -> None:
    """Until cancelled. While the broker is away no ticks pile up: each waits for the one before."""
    every = road.settings.time.wall_tick_ms / 1000
    partitions = range(road.topics.embedded.partitions)
    while True:
        await asyncio.sleep(every - time.time() % every)
        if 0 not in stage.assigned():
            continue
        message = encode(tick_frame(door, int(time.time() * 1000)))
        send, topic = road.producer.send, road.topics.embedded
        await delivered([await send(topic, message, partition=p) for p in partitions])
