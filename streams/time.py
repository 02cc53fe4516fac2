"""Event time: a clock per source, one watermark, lateness, and the ticks that let time pass.

All times are ms since 1970-01-01 UTC. Nothing here reads a wall clock: time moves only when a post
or a tick in the log moves it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

HOUR = 3_600_000
NEVER = -(2**62)


class Watermark:
    """How far event time has come, over all sources that still speak.

    Each source has a clock (its newest valid post). The watermark is the earliest clock among the
    sources that spoke within `silent_ms` of the newest tick; when none did, it is that tick. It
    never goes back.
    """

    def __init__(self, *, lateness_ms: int, silent_ms: int) -> None:
        self._lateness = lateness_ms
        self._silent = silent_ms
        self._clock: dict[str, int] = {}
        self._heard: dict[str, int] = {}
        self._tick = NEVER
        self._value = NEVER

    @property
    def value(self) -> int:
        """The watermark; `NEVER` before the first post or tick."""
        return self._value

    def is_late(self, source: str, created_at: int) -> bool:
        """Whether a post lies further behind its own source's clock than the lateness allows."""
        clock = self._clock.get(source)
        return clock is not None and created_at < clock - self._lateness

    def post(self, source: str, created_at: int) -> None:
        """A valid post of `source` was folded."""
        if created_at > self._clock.get(source, NEVER):
            self._clock[source] = created_at
        self._heard[source] = max(self._tick, created_at)
        self._advance()

    def tick(self, at: int) -> None:
        """The log let time pass up to `at`."""
        if at > self._tick:
            self._tick = at
            self._advance()

    def _advance(self) -> None:
        if len(self._clock) == 1 and self._tick == NEVER:
            (low,) = self._clock.values()
        else:
            horizon = self._tick - self._silent
            low = min(
                (at for source, at in self._clock.items() if self._heard[source] >= horizon),
                default=self._tick,
            )
        if low > self._value:
            self._value = low

    def state(self) -> dict[str, Any]:
        return {
            "sources": [[s, self._clock[s], self._heard[s]] for s in sorted(self._clock)],
            "tick": self._tick,
            "value": self._value,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._clock = {s: clock for s, clock, _ in state["sources"]}
        self._heard = {s: heard for s, _, heard in state["sources"]}
        self._tick = state["tick"]
        self._value = state["value"]


class EventTicks:
    """Ticks for a replay, derived from the posts' own times: at most one before each post.

    A tick stands at the last whole period at or before a post, wherever that period is a new one,
    so that a replay and an ingest of the same file put the same ticks at the same places.
    """

    def __init__(self, period_ms: int) -> None:
        if period_ms <= 0:
            raise ValueError("a tick's period must be positive")
        self._period = period_ms
        self._last = NEVER

    def before(self, created_at: int) -> Iterator[int]:
        """The tick, if any, that belongs right before a post of this time."""
        at = created_at // self._period * self._period
        if at > self._last:
            first = self._last == NEVER
            self._last = at
            if not first:
                yield at

    def last(self) -> Iterator[int]:
        """The tick that closes the stream, one period after the last one.

        Without any post it stands at 0: the fold counts the dead at a tick.
        """
        self._last = 0 if self._last == NEVER else self._last + self._period
        yield self._last
