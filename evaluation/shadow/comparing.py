"""Which alerts of two settings are the same one, and how they differ.

An alert's id hangs on the first post of its rumor, and other thresholds give a rumor another first post;
so two alerts are taken for one when they share posts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec

SAME_SHARE = 0.5
"""Part of the smaller one's posts that two alerts or rumors must share to count as one."""

Fate = Literal["appears", "vanishes", "earlier", "later", "raised", "lowered", "same"]


class Sighting(msgspec.Struct):
    """An alert of one side. Times are the watermark, ms."""

    alert_id: str
    headline: str
    posts: list[str]  # ids, as of the newest level
    raised_at: int
    posts_then: int  # when it was first raised
    confirmed_at: int | None = None


class Pair(msgspec.Struct, frozen=True):
    """An alert on both sides, or on one; what becomes of it under the candidate."""

    fate: Fate
    now: Sighting | None  # under the settings in force
    then: Sighting | None  # under the candidate
    minutes: float | None = None  # candidate minus in force, of the first level
    posts: int | None = None  # the same in posts of the alert


class _Shared(NamedTuple):
    posts: int
    one: int
    other: int


def same(ours: Sequence[Sequence[str]], theirs: Sequence[Sequence[str]]) -> list[tuple[int, int]]:
    """Pairs (position in `ours`, in `theirs`) of groups that share enough posts, each used once.

    The pair with most shared posts comes first; ties go to the earlier groups.
    """
    holders: dict[str, list[int]] = defaultdict(list)
    for number, posts in enumerate(theirs):
        for post in set(posts):
            holders[post].append(number)
    found: list[_Shared] = []
    for one, posts in enumerate(ours):
        counts: dict[int, int] = defaultdict(int)
        for post in set(posts):
            for other in holders.get(post, ()):
                counts[other] += 1
        for other, count in counts.items():
            if count >= SAME_SHARE * min(len(set(posts)), len(set(theirs[other]))):
                found.append(_Shared(count, one, other))
    found.sort(key=lambda shared: (-shared.posts, shared.one, shared.other))
    used_one: set[int] = set()
    used_other: set[int] = set()
    pairs = []
    for _, one, other in found:
        if one not in used_one and other not in used_other:
            used_one.add(one)
            used_other.add(other)
            pairs.append((one, other))
    return sorted(pairs)


def compare(now: Sequence[Sighting], then: Sequence[Sighting]) -> list[Pair]:
    """Every alert of either side, those that differ first in the order of their time."""
    matched = same([s.posts for s in now], [s.posts for s in then])
    pairs = [_pair(now[one], then[other]) for one, other in matched]
    left = {one for one, _ in matched}
    right = {other for _, other in matched}
    pairs += [Pair("vanishes", s, None) for n, s in enumerate(now) if n not in left]
    pairs += [Pair("appears", None, s) for n, s in enumerate(then) if n not in right]
    return sorted(pairs, key=_order)


def _pair(now: Sighting, then: Sighting) -> Pair:
    minutes = (then.raised_at - now.raised_at) / 60_000
    posts = then.posts_then - now.posts_then
    fate: Fate = "same"
    if (now.confirmed_at is None) != (then.confirmed_at is None):
        fate = "lowered" if then.confirmed_at is None else "raised"
    elif minutes:
        fate = "later" if minutes > 0 else "earlier"
    return Pair(fate, now, then, minutes, posts)


def _order(pair: Pair) -> tuple[bool, int, str]:
    stands = pair.now or pair.then
    assert stands is not None
    return pair.fate == "same", stands.raised_at, stands.alert_id
