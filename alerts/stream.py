"""How much the whole stream says, hour by hour: what a rumor's volume is held against."""

from __future__ import annotations

from math import log
from typing import Any

from alerts.parameters import DAY, HOUR

KEPT_DAYS = 2
"""Days of hours kept: the last day, and its neighbour for posts that come late."""


class Stream:
    """Posts of all rumors by hour of event time."""

    def __init__(self) -> None:
        self._posts: dict[int, int] = {}

    def count(self, at: int) -> None:
        hour = at // HOUR
        self._posts[hour] = self._posts.get(hour, 0) + 1

    def forget(self, now: int) -> None:
        if len(self._posts) > 4 * 24 * KEPT_DAYS:
            limit = (now - KEPT_DAYS * DAY) // HOUR
            self._posts = {hour: n for hour, n in self._posts.items() if hour >= limit}

    def volume(self, start: int, end: int) -> int:
        """Posts in the hours that begin in [start, end), ms."""
        first, last = -(-start // HOUR), -(-end // HOUR)
        return sum([self._posts.get(hour, 0) for hour in range(first, last)])

    def copy(self) -> Stream:
        """The counts as they stand."""
        other = Stream()
        other._posts = dict(self._posts)
        return other

    def state(self) -> list[tuple[int, int]]:
        return sorted(self._posts.items())

    def restore(self, state: list[Any]) -> None:
        self._posts = dict(state)


def surprise(of_rumor: int, of_stream: int, usual: float) -> float:
    """How little likely it is that a rumor has so many of an hour's posts, in nats (0: not at all odd).

    Binomial test with the Chernoff bound n KL(k/n || p) on -ln P(X >= k), X ~ B(n, p) (Hoeffding
    1963, theorem 1): k posts of the rumor among n of the stream, p its usual share. Since n is that
    hour's own volume, the stream's rhythm of day and night cancels out.
    """
    if not of_stream or of_rumor <= usual * of_stream:
        return 0.0
    k, n, p = min(of_rumor, of_stream), of_stream, min(max(usual, 1e-12), 1 - 1e-12)
    share = k / n
    rest = (1 - share) * log((1 - share) / (1 - p)) if k < n else 0.0
    return n * (share * log(share / p) + rest)
