"""A worker whose stages join their groups and never finish their start, as when Kafka goes away just then.

`python -m tests.integration.starting_worker worker ...`
"""

from __future__ import annotations

import asyncio
import sys

from agents.kafka.app import Stage
from cli.main import main

_start = Stage.start


async def start_and_wait(self: Stage) -> None:
    await _start(self)
    await asyncio.Event().wait()


if __name__ == "__main__":
    Stage.start = start_and_wait  # type: ignore[method-assign]
    sys.exit(main(sys.argv[1:]))
