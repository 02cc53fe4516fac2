"""Absolute counts per 5-minute bucket, language, platform and category, for the lead's charts."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Any

from alerts.parameters import BUCKET
from alerts.stream import Stream
from streams.documents import Level, TrendDocument

Key = tuple[int, str, str, str]  # bucket start (ms), language, platform ("" unknown), category


class Trends:
    """Buckets young enough to change still, and which of them did since they were last written."""

    def __init__(self, keep_ms: int) -> None:
        self._keep = keep_ms
        self._counts: dict[Key, list[int]] = {}  # posts, suggest alerts, confirm alerts
        self._dirty: set[Key] = set()
        self._by_age: list[Key] = []  # heap of the keys held
        self.stream = Stream()

    def post(self, at: int, language: str, platform: str | None, category: str) -> None:
        self._add((at // BUCKET * BUCKET, language, platform or "", category), 0)
        self.stream.count(at)

    def alert(self, at: int, language: str, platform: str, category: str, level: Level) -> None:
        self._add(
            (at // BUCKET * BUCKET, language, platform, category), 1 if level == "suggest" else 2
        )

    def _add(self, key: Key, column: int) -> None:
        counts = self._counts.get(key)
        if counts is None:
            counts = self._counts[key] = [0, 0, 0]
            heappush(self._by_age, key)
        counts[column] += 1
        self._dirty.add(key)

    def take(self, watermark: int, version: int) -> list[TrendDocument]:
        """Documents of the buckets that changed; lets go of those that no post can reach now."""
        documents = [
            TrendDocument(
                bucket=key[0],
                language=key[1],
                platform=key[2],
                category=key[3],
                version=version,
                posts=self._counts[key][0],
                alerts_suggest=self._counts[key][1],
                alerts_confirm=self._counts[key][2],
            )
            for key in sorted(self._dirty)
        ]
        self._dirty.clear()
        self.stream.forget(watermark)
        limit = watermark - self._keep - BUCKET
        while self._by_age and self._by_age[0][0] < limit:
            del self._counts[heappop(self._by_age)]
        return documents

    def state(self) -> dict[str, Any]:
        return {
            "buckets": [[*k, *self._counts[k], k in self._dirty] for k in sorted(self._counts)],
            "stream": self.stream.state(),
        }

    def restore(self, kept: dict[str, Any]) -> None:
        self.stream.restore(kept["stream"])
        state = kept["buckets"]
        self._counts = {(b, lang, on, topic): [p, s, c] for b, lang, on, topic, p, s, c, _ in state}
        self._by_age = sorted(self._counts)
        self._dirty = {
            (b, lang, on, topic) for b, lang, on, topic, _, _, _, dirty in state if dirty
        }
