"""An agent without Kafka: what it sends is kept, and the test says what becomes of it."""

from __future__ import annotations

import asyncio
from typing import Any


class Log:
    """In place of the producer: messages whose delivery the test decides."""

    def __init__(self) -> None:
        self.sent: list[asyncio.Future[None]] = []

    async def send(self, topic: Any, value: bytes, **_: Any) -> asyncio.Future[None]:
        self.sent.append(asyncio.get_running_loop().create_future())
        return self.sent[-1]


async def turns() -> None:
    """Enough of the loop for everything that waits for nothing outside it."""
    for _ in range(20):
        await asyncio.sleep(0)
