"""A worker that acknowledges too early, to show that the tests of the guarantee notice it.

`python -m tests.consistency.hasty_worker embed|folds worker ...`: `embed` acknowledges posts before their
frames are delivered; `folds` acknowledge what they took before a checkpoint covers it, and take the group's
offset for theirs.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from agents.kafka.app import Delivery
from agents.kafka.embed import EmbedStage
from agents.kafka.fold import FoldStage
from cli.main import main

LATER_S = 1.0  # between the acknowledging and the work: a commit falls into it

_embed, _folds = EmbedStage.take, FoldStage.take


async def embed_hastily(self: EmbedStage, event: Delivery) -> None:
    await self.ack(event)
    await asyncio.sleep(LATER_S)
    await _embed(self, event)


async def fold_hastily(self: FoldStage, event: Delivery) -> None:
    await self.ack(event)
    await _folds(self, event)


async def trust_the_group(self: FoldStage, event: Delivery, held: Any) -> bool:
    held.next = max(held.next, event.value[0].offset)
    return False


if __name__ == "__main__":
    if sys.argv[1] == "embed":
        EmbedStage.take = embed_hastily  # type: ignore[method-assign]
    else:
        FoldStage.take = fold_hastily  # type: ignore[method-assign]
        FoldStage._elsewhere = trust_the_group  # type: ignore[method-assign]
    sys.exit(main(sys.argv[2:]))
