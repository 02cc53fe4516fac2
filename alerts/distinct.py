"""How many different ones, in bounded memory: adaptive sampling, mergeable, with a time window."""

from __future__ import annotations

import msgspec

KEPT = 1024
"""Keys kept at most. Up to here the count is exact; beyond it its relative standard error is
1.20 / sqrt(KEPT) = 3.8 % (Flajolet 1990, "On adaptive sampling", Computing 43)."""

_WORD = (1 << 64) - 1
_MIX = (
    0x9E3779B97F4A7C15  # 2**64 over the golden ratio, odd: voices of one key differ in low bits too
)


class Distinct(msgspec.Struct):
    """Hashed keys with the time of each one's newest post (ms).

    When more than KEPT are held, those whose mixed hash has a one in the next low bit go, so that a
    key kept stands for 2**depth. Which keys are kept depends on the set alone, not on its order.
    """

    depth: int = 0
    newest: dict[int, int] = {}
    oldest: int = (
        2**62
    )  # ms; no key's newest post is older. Follows from the rest, no part of the state

    def __post_init__(self) -> None:
        self.oldest = min(self.newest.values(), default=2**62)

    def add(self, key: int, at: int) -> None:
        newest = self.newest
        if key in newest:
            if at > newest[key]:
                newest[key] = at
            return
        if self.depth and not _sampled(key, self.depth):
            return
        newest[key] = at
        if at < self.oldest:
            self.oldest = at
        while len(self.newest) > KEPT:
            self._deepen(self.depth + 1)

    def merge(self, other: Distinct) -> None:
        """Take up another's keys: as if both had been counted together."""
        if other.depth > self.depth:
            self._deepen(other.depth)
        for key, at in other.newest.items():
            self.add(key, at)

    def _deepen(self, depth: int) -> None:
        self.depth = depth
        self.newest = {k: at for k, at in self.newest.items() if _sampled(k, depth)}

    def since(self, at: int) -> int:
        """Keys seen at or after `at` (ms)."""
        if at <= self.oldest:
            return len(self)
        return len([1 for newest in self.newest.values() if newest >= at]) << self.depth

    def forget(self, before: int) -> None:
        """Let go of keys not seen since `before` (ms)."""
        if before <= self.oldest:  # the common case, and most rumors are asked at each change
            return
        for key in [k for k, newest in self.newest.items() if newest < before]:
            del self.newest[key]
        self.oldest = min(self.newest.values(), default=2**62)

    def __len__(self) -> int:
        return len(self.newest) << self.depth


def _sampled(key: int, depth: int) -> bool:
    """Whether the highest `depth` bits of the mixed key are all zero: one key of 2**depth."""
    return ((key * _MIX) & _WORD) >> (64 - depth) == 0
