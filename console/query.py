"""What an address asks for, checked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request

LONGEST_QUERY = 200  # characters of a search; the rest is left out
LAST_PAGE = 10_000
LEVELS = ("suggest", "confirm")
HOURS = (1, 8, 24)  # spans of the overview's chart; 8 is a shift
_CODE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*|und", re.IGNORECASE)
_CATEGORY = re.compile(r"[a-z][a-z0-9-]{0,39}")  # as `config.taxonomy` takes them
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


class Refusal(Exception):
    """A request that gets an error page: HTTP status, the key of its word, what to fill in."""

    def __init__(self, status: int, key: str, n: str | None = None) -> None:
        super().__init__(key)
        self.status, self.key, self.n = status, key, n


@dataclass(frozen=True)
class Filter:
    level: str | None
    language: str | None
    category: str | None
    hours: int
    page: int

    @property
    def narrows(self) -> bool:
        return any(one is not None for one in (self.level, self.language, self.category))


def overview_filter(request: Request) -> Filter:
    """The overview's filter; raises Refusal 400 naming the parameter."""
    hours = one_of(request, "hours", [str(n) for n in HOURS])
    return Filter(
        level=one_of(request, "level", LEVELS),
        language=language_code(request),
        category=category_id(request),
        hours=int(hours) if hours else 8,
        page=whole(request, "page", 1, 1, LAST_PAGE),
    )


def one_of(request: Request, name: str, allowed: Sequence[str]) -> str | None:
    value = request.query_params.get(name, "")
    if value and value not in allowed:
        raise Refusal(400, "bad_request", f"{name} ({', '.join(allowed)})")
    return value or None


def whole(request: Request, name: str, default: int, low: int, high: int) -> int:
    value = request.query_params.get(name, "")
    if not value:
        return default
    if not (value.isascii() and value.isdigit() and len(value) <= 15 and low <= int(value) <= high):
        raise Refusal(400, "bad_request", f"{name} ({low}–{high})")
    return int(value)


def language_code(request: Request) -> str | None:
    value = request.query_params.get("language", "")
    if value and not _CODE.fullmatch(value):
        raise Refusal(400, "bad_request", "language (vi, en, …)")
    return value.lower() or None


def category_id(request: Request) -> str | None:
    value = request.query_params.get("category", "")
    if value and not _CATEGORY.fullmatch(value):
        raise Refusal(400, "bad_request", "category (health, traffic, …)")
    return value or None


def searched(request: Request) -> str:
    """The words looked for: one line, bounded."""
    return _CONTROL.sub(" ", request.query_params.get("q", "")).strip()[:LONGEST_QUERY]
