"""A rumor's posts since a moving point of time, without a walk through its timeline."""

from __future__ import annotations

from heapq import heapify, heappop, heappush

import msgspec


class Window(msgspec.Struct):
    """Posts in the buckets of a timeline from `start` (ms) on; it follows from the timeline."""

    start: int
    buckets: dict[int, int]  # start of bucket -> posts, those in the window
    order: list[int]  # heap of these buckets
    posts: int

    @classmethod
    def of(cls, start: int, timeline: dict[int, int]) -> Window:
        """The window as it stands in a timeline."""
        buckets = {bucket: n for bucket, n in timeline.items() if bucket >= start}
        order = list(buckets)
        heapify(order)
        return cls(start, buckets, order, sum(buckets.values()))

    def add(self, bucket: int) -> None:
        """One post more."""
        if bucket < self.start:
            return
        if bucket not in self.buckets:
            self.buckets[bucket] = 0
            heappush(self.order, bucket)
        self.buckets[bucket] += 1
        self.posts += 1

    def since(self, start: int) -> int:
        """Posts from `start` on, which is never before that of the last time."""
        self.start = start
        while self.order and self.order[0] < start:
            self.posts -= self.buckets.pop(heappop(self.order))
        return self.posts
