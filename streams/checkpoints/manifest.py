"""What the checkpoint topic says of one checkpoint: which records hold it, and how to know that they do."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Manifest:
    """A checkpoint's numbers, and where its state stands."""

    generation: int
    offset: int
    size: int
    digest: str  # hexadecimal
    partition: int  # of the chunks
    chunks: list[int]  # their offsets there

    def packed(self) -> bytes:
        return json.dumps(asdict(self)).encode()


UNREADABLE = Manifest(0, -1, 0, "", 0, [])
"""What `parse` makes of a damaged one."""


def parse(value: bytes) -> Manifest:
    try:
        return Manifest(**json.loads(value))
    except (ValueError, TypeError):
        return UNREADABLE
