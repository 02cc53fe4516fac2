"""Times and absent values, as Elasticsearch keeps them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from stores.elasticsearch.names import ms_of, time_of

Shape = dict[str, Any]


def present(**values: Any) -> Shape:
    return {name: value for name, value in values.items() if value is not None}


def iso(ms: int) -> str:
    """Raises OverflowError outside the years 1 to 9999."""
    return time_of(ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def ms(iso: str) -> int:
    return ms_of(datetime.fromisoformat(iso))


def iso_or_none(ms: int | None) -> str | None:
    return None if ms is None else iso(ms)


def ms_or_none(iso: str | None) -> int | None:
    return None if iso is None else ms(iso)
