"""How long documents are kept: pure arithmetic on dates; the stores drop what it names."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

DAY_MS = 86_400_000


class Ages(msgspec.Struct, frozen=True, kw_only=True):
    """Days that documents are kept; None keeps them for ever. Claims and audit have no age."""

    posts: int | None = 30
    trends: int | None = 400  # a year and a month: last year's season stays comparable
    rumors: int | None = 400
    alerts: int | None = 400


class Cuts(NamedTuple):
    """Times (ms) before which documents of a kind are past their age."""

    posts: int
    trends: int
    rumors: int
    alerts: int


def cuts(ages: Ages, now: int) -> Cuts:
    """`now`: ms, the time that retention counts from."""
    return Cuts(*(_cut(getattr(ages, kind), now) for kind in Cuts._fields))


def _cut(days: int | None, now: int) -> int:
    if days is None:
        return -(2**62)  # before any time
    if days < 1:
        raise ValueError("an age is at least 1 day: use no age to keep documents for ever")
    return now - days * DAY_MS
