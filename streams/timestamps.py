"""When a post was written: ISO 8601 or a number since 1970, as milliseconds."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

# Numbers from here on are milliseconds: as seconds they lie after the year 5138, as milliseconds
# before 1974.
MILLISECONDS_FROM = 10**11
LATEST = 7_258_118_400_000  # 2200-01-01 UTC, ms; later numbers are microseconds or mistakes


class TimestampError(ValueError):
    """What a post gives as its time is none; one line with the mend."""


_NUMBER = re.compile(r"\s*(\d{1,20})(?:\.(\d{1,20}))?\s*", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_time(value: object) -> int:
    """ms since 1970 UTC of an ISO 8601 time with offset, or of seconds or milliseconds since 1970.

    Numbers from 10**11 on are milliseconds. Fractions of a millisecond are dropped.
    Raises TimestampError.
    """
    if isinstance(value, str):
        number = _NUMBER.fullmatch(value)
        if number:
            return _from_number(int(number[1]), f"{number[2] or '':0<3}"[:3])
        return _from_iso(value.strip())
    if type(value) is int:
        return _from_number(value, "000")
    if isinstance(value, float) and math.isfinite(value) and abs(value) < 1e18:
        whole = math.floor(value)
        return _from_number(whole, f"{int((value - whole) * 1000 + 1e-4):03d}")
    raise TimestampError(
        f"created_at is a {type(value).__name__}: write it like 2026-01-31T08:15:00+07:00"
    )


def _from_number(whole: int, thousandths: str) -> int:
    at = whole if whole >= MILLISECONDS_FROM else whole * 1000 + int(thousandths)
    return _in_range(at)


def _from_iso(value: str) -> int:
    try:
        if not value.isascii() or len(value) > 64:
            raise ValueError
        time = datetime.fromisoformat(value)
    except ValueError:
        raise TimestampError(
            "created_at is no time: write it like 2026-01-31T08:15:00+07:00"
        ) from None
    if time.tzinfo is None:
        raise TimestampError("created_at has no offset: write it like 2026-01-31T08:15:00+07:00")
    since = time - _EPOCH
    return _in_range((since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000)


def _in_range(at: int) -> int:
    if not 0 <= at < LATEST:
        raise TimestampError(
            "created_at lies before 1970 or after 2199: write seconds or milliseconds since 1970",
        )
    return at
