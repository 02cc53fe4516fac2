"""What was seen: post ids, and the wordings and posts that lead straight to a micro-cluster."""

from __future__ import annotations

from collections import deque
from typing import Any

from streams.documents import post_key


class Seen:
    """Ids of folded posts and the micro-cluster of each, for window + lateness of event time."""

    def __init__(self, keep_ms: int) -> None:
        self._keep = keep_ms
        self._serial: dict[str, int] = {}
        # (watermark when folded, key), in folded order
        self._order: deque[tuple[int, str]] = deque()

    def __len__(self) -> int:
        return len(self._serial)

    def keep_for(self, keep_ms: int) -> None:
        """From here on; what was forgotten stays forgotten."""
        self._keep = keep_ms

    def serial(self, source: str, post_id: str) -> int | None:
        """The micro-cluster (serial number) of a post seen before; None for a new one."""
        return self._serial.get(post_key(source, post_id))

    def add(self, source: str, post_id: str, serial: int, watermark: int) -> None:
        key = post_key(source, post_id)
        self._serial[key] = serial
        self._order.append((watermark, key))

    def move(self, source: str, post_id: str, serial: int) -> None:
        """A post seen before lies in another micro-cluster from here on."""
        self._serial[post_key(source, post_id)] = serial

    def expire(self, watermark: int) -> None:
        before = watermark - self._keep
        order = self._order
        while order and order[0][0] < before:
            del self._serial[order.popleft()[1]]

    def state(self) -> list[list[Any]]:
        return [[at, key, self._serial[key]] for at, key in self._order]

    def restore(self, state: list[list[Any]]) -> None:
        self._order = deque((at, key) for at, key, _ in state)
        self._serial = {key: serial for _, key, serial in state}
