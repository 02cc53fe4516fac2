"""Names: which index a document lives in, and its id there.

A document lands in the same index whatever its version, because its index comes from a time that
never changes: an alert's `raised_at`, a rumor's `born_at`, a post's `created_at`, a trend's bucket, a
claim's `since`, an action's `at`.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Literal

from stores.retention import DAY_MS
from streams.documents import (
    AlertDocument,
    AuditDocument,
    ClaimDocument,
    PostDocument,
    RumorDocument,
    TrendDocument,
    post_key,
)

Document = (
    AlertDocument | RumorDocument | PostDocument | TrendDocument | ClaimDocument | AuditDocument
)
Kind = Literal["alerts", "rumors", "posts", "trends", "claims", "audit"]
KINDS: tuple[Kind, ...] = ("alerts", "rumors", "posts", "trends", "claims", "audit")
AGING: tuple[Kind, ...] = ("alerts", "rumors", "posts", "trends")  # the others are kept for good
DAILY: tuple[Kind, ...] = ("posts",)  # the others have an index a month

MAX_ID_BYTES = 512  # Elasticsearch's limit for `_id`
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PREFIX = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_COPY = re.compile(r"^copy(\d+)-")
_DATE = re.compile(r"(\d{4})\.(\d\d)(?:\.(\d\d))?")


def check_prefix(prefix: str) -> None:
    """Raises ValueError when `prefix` cannot begin the name of an index."""
    if not _PREFIX.fullmatch(prefix):
        raise ValueError(
            f"{prefix!r} cannot begin the name of an index: use lower-case letters, digits, - _ ."
        )


def time_of(ms: int) -> datetime:
    """Raises OverflowError outside the years 1 to 9999."""
    return _EPOCH + timedelta(milliseconds=ms)


def ms_of(time: datetime) -> int:
    return (time - _EPOCH) // timedelta(milliseconds=1)


def alias(prefix: str, kind: Kind) -> str:
    """The name that questions use: all indices of a kind."""
    return f"{prefix}{kind}"


def index(prefix: str, kind: Kind, ms: int) -> str:
    """The index of a document of that kind and time."""
    return _of_day(prefix, kind, ms // DAY_MS)


@lru_cache(1024)
def _of_day(prefix: str, kind: Kind, day: int) -> str:
    moment = time_of(day * DAY_MS)
    month = f"{prefix}{kind}-{moment.year:04}.{moment.month:02}"
    return f"{month}.{moment.day:02}" if kind in DAILY else month


def place(prefix: str, document: Document) -> tuple[str, str]:
    """Index and id of a document."""
    match document:
        case AlertDocument():
            return index(prefix, "alerts", document.raised_at), document_id(document.alert_id)
        case RumorDocument():
            return index(prefix, "rumors", document.born_at), document_id(document.rumor_id)
        case PostDocument():
            key = post_key(document.source, document.post_id)
            return index(prefix, "posts", document.created_at), document_id(key)
        case TrendDocument():
            key = f"{document.bucket}:{len(document.language)}:{document.language}"
            key = f"{key}:{len(document.platform)}:{document.platform}:{document.category}"
            return index(prefix, "trends", document.bucket), document_id(key)
        case ClaimDocument():
            return index(prefix, "claims", document.since), document_id(document.claim_id)
        case AuditDocument():
            return index(prefix, "audit", document.at), document_id(document.action_id)


def document_id(key: str) -> str:
    """The key itself, or its hash where Elasticsearch would find it too long."""
    raw = key.encode()
    return key if len(raw) <= MAX_ID_BYTES else f"sha256:{hashlib.sha256(raw).hexdigest()}"


def copy_of(prefix: str, name: str) -> str:
    """The index into which an upgrade copies another: `tindon-copy1-posts-2026.03.01`, copy2, ..."""
    found = _COPY.match(name.removeprefix(prefix))
    number = int(found[1]) + 1 if found else 1
    return f"{prefix}copy{number}-{written_as(prefix, name).removeprefix(prefix)}"


def written_as(prefix: str, name: str) -> str:
    """The name under which an index is written to: its own, or the alias that a copy took over."""
    return (
        f"{prefix}{_COPY.sub('', name.removeprefix(prefix), count=1)}"
        if name.startswith(prefix)
        else name
    )


def kind_of(prefix: str, name: str) -> Kind | None:
    """The kind of an index, copies included; None for a name that is not ours."""
    return next((kind for kind in KINDS if span(prefix, kind, name)), None)


def span(prefix: str, kind: Kind, name: str) -> tuple[int, int] | None:
    """First ms of an index, and the first ms after it; None for a name that is not ours."""
    name = written_as(prefix, name)
    head = f"{prefix}{kind}-"
    found = _DATE.fullmatch(name[len(head) :]) if name.startswith(head) else None
    if found is None or (found[3] is not None) != (kind in DAILY):
        return None
    try:
        first = date(int(found[1]), int(found[2]), int(found[3] or 1))
        after = first + timedelta(days=1 if kind in DAILY else 32)
    except (ValueError, OverflowError):
        return None
    if kind not in DAILY:
        after = after.replace(day=1)
    begin, end = (datetime(d.year, d.month, d.day, tzinfo=UTC) for d in (first, after))
    return ms_of(begin), ms_of(end)
