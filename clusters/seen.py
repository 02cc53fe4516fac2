"""What was seen: post ids, and the wordings and posts that lead straight to a micro-cluster."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

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

    def state(self) -> dict[str, Any]:
        """Columns, in folded order."""
        n, order = len(self._order), self._order
        serial = self._serial
        return {
            "at": np.fromiter((at for at, _ in order), np.int64, n),
            "key": [key for _, key in order],
            "serial": np.fromiter((serial[key] for _, key in order), np.int64, n),
        }

    def restore(self, state: dict[str, Any]) -> None:
        keys = state["key"]
        self._order = deque(zip(state["at"].tolist(), keys, strict=True))
        self._serial = dict(zip(keys, state["serial"].tolist(), strict=True))


def columns(serials: dict[int, int]) -> list[np.ndarray]:
    """Wordings, ascending, and the serial of each one's micro-cluster."""
    wording = np.fromiter(serials.keys(), np.uint64, len(serials))
    order = wording.argsort()
    return [wording[order], np.fromiter(serials.values(), np.int64, len(serials))[order]]


def mapping(wordings: list[np.ndarray]) -> dict[int, int]:
    """What `columns` was made of."""
    wording, serial = wordings
    return dict(zip(wording.tolist(), serial.tolist(), strict=True))
