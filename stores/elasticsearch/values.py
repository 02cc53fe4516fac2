"""Times and absent values, as Elasticsearch keeps them."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any

from stores.elasticsearch.names import ms_of, time_of
from stores.retention import DAY_MS

Shape = dict[str, Any]


def present(**values: Any) -> Shape:
    return {name: value for name, value in values.items() if value is not None}


def iso(ms: int) -> str:
    """Raises OverflowError outside the years 1 to 9999."""
    day, rest = divmod(ms, DAY_MS)
    seconds, rest = divmod(rest, 1_000)
    return f"{_date(day)}T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}Z"


@lru_cache(1024)
def _date(day: int) -> str:
    return time_of(day * DAY_MS).date().isoformat()


def ms(iso: str) -> int:
    return ms_of(datetime.fromisoformat(iso))


def iso_or_none(ms: int | None) -> str | None:
    return None if ms is None else iso(ms)


def ms_or_none(iso: str | None) -> int | None:
    return None if iso is None else ms(iso)
