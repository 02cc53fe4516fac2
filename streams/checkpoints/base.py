"""What a checkpoint store promises."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Protocol

SLOTS = 2  # a checkpoint and its predecessor
_FOLD = re.compile(r"[a-z][a-z0-9_-]{0,63}")


class CheckpointError(Exception):
    """A checkpoint cannot be written or read; the message says what is wrong and the mend."""


class CheckpointDamaged(CheckpointError):
    """Checkpoints are there, and none of them is whole."""


class Fenced(CheckpointError):
    """Another owner took over this fold and partition; whoever gets this must stop folding it."""


@dataclass(frozen=True)
class Checkpoint:
    """State of a fold after the record at `offset`; `generation` counts its saves."""

    offset: int
    blob: bytes
    generation: int


class CheckpointStore(Protocol):
    """Durable state of folds, the newest and its predecessor per fold and partition.

    `load` comes before the first `save` and claims the fold and partition for this store: an
    earlier owner's next `save` raises Fenced. A save that returned is durable; one that failed or
    was cut off is there in whole or not at all, and may have to be followed by a `load`. When the
    newest checkpoint is damaged, `load` gives the one before it and counts that in `damaged`; only
    when none is whole does it raise CheckpointDamaged. An earlier checkpoint may cover less than
    the consumer group has committed: the reader continues at `offset + 1` of the checkpoint,
    seeking back if need be.
    """

    damaged: int  # checkpoints that `load` found damaged, since the start

    async def start(self) -> None:
        """Connect. Raises CheckpointError."""

    async def stop(self) -> None:
        """Let go of everything; what was saved stays."""

    async def save(self, fold: str, partition: int, offset: int, blob: bytes) -> None:
        """Keep the state after the record at `offset`. Raises Fenced, CheckpointError."""

    async def load(self, fold: str, partition: int) -> Checkpoint | None:
        """Claim, and give the newest whole checkpoint; None when there never was one."""


@dataclass
class Claim:
    """What an owner knows of its fold and partition."""

    slot: int  # where the next checkpoint goes: not where the newest whole one is
    generation: int  # the highest that was seen, whole or not
    lost: bool = False

    def saved(self) -> None:
        self.slot = 1 - self.slot
        self.generation += 1


def check_place(fold: str, partition: int) -> None:
    """Raise ValueError for a name or number that cannot be part of a file name or a key."""
    if not _FOLD.fullmatch(fold) or partition < 0:
        raise ValueError(f"no place for a checkpoint: fold {fold!r}, partition {partition}")


def digest(generation: int, offset: int, blob: bytes) -> bytes:
    """BLAKE2b, 32 bytes, over the numbers and the state."""
    numbers = b"%d/%d/%d/" % (generation, offset, len(blob))
    return hashlib.blake2b(blob, digest_size=32, key=hashlib.sha256(numbers).digest()).digest()


def not_claimed(fold: str, partition: int) -> Fenced:
    return Fenced(f"fold {fold}, partition {partition} is not held here: load it before saving")


def taken_over(fold: str, partition: int) -> Fenced:
    return Fenced(
        f"another worker took over fold {fold}, partition {partition}: this one stops folding it"
    )
