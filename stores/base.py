"""The store interface: whole documents in, few questions out; one suite tests both stores."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from stores.retention import Ages
from streams.documents import (
    AlertDocument,
    AuditDocument,
    Batch,
    ClaimDocument,
    ClaimMatch,
    ClaimText,
    Exemplar,
    Join,
    Level,
    PostDocument,
    RumorDocument,
    Signal,
    Split,
    Status,
    Step,
    TrendDocument,
    Triage,
)

# The documents too: readers of a store (console, outputs) import them from here.
__all__ = [
    "AlertDocument",
    "AuditDocument",
    "Batch",
    "ClaimDocument",
    "ClaimMatch",
    "ClaimText",
    "Exemplar",
    "Join",
    "Level",
    "PostDocument",
    "RumorDocument",
    "Signal",
    "Similar",
    "Split",
    "Status",
    "Step",
    "Store",
    "StoreError",
    "StoreUnavailable",
    "TrendDocument",
    "Triage",
]


class StoreError(Exception):
    """A store could not do what was asked; the message is one line that tells the mend."""


class StoreUnavailable(StoreError):
    """The store is away or takes no writes now: pause, and write the same batch again later."""


class Similar(NamedTuple):
    """A rumor beside another, and the cosine of their dense vectors."""

    rumor: RumorDocument
    cosine: float


class Store(Protocol):
    """Thread-safe, synchronous. Writes are idempotent: no older version overwrites a newer."""

    def write(self, batch: Batch) -> int:
        """Write whole documents; returns how many were stored (not older than what stood there)."""

    def alert(self, alert_id: str) -> AlertDocument | None: ...

    def alerts(
        self,
        *,
        level: Level | None = None,
        status: Status | None = None,
        rumor_id: str | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[AlertDocument]:
        """Alerts, newest `raised_at` first, then by id; merged ones left out."""

    def rumor(self, rumor_id: str) -> RumorDocument | None:
        """The rumor as stored; follow `merged_into` for its heir."""

    def rumors(
        self, *, open_only: bool = False, limit: int = 100, offset: int = 0
    ) -> list[RumorDocument]:
        """Rumors by score, highest first, then by id; merged ones left out."""

    def similar(self, rumor_id: str, *, limit: int = 10) -> list[Similar]:
        """Rumors nearest in meaning, open or closed: highest cosine first, then by id.

        Without itself, merged ones and those without a vector; empty when it has none itself.
        """

    def posts(self, rumor_id: str, *, limit: int = 100, offset: int = 0) -> list[PostDocument]:
        """Stored posts of a rumor, oldest first, then by key."""

    def trends(self, start: int, end: int) -> list[TrendDocument]:
        """Buckets with start <= bucket < end (ms), in time order, then by language, platform, category."""

    def claim(self, claim_id: str) -> ClaimDocument | None:
        """A known claim."""

    def claims(self, *, limit: int = 100, offset: int = 0) -> list[ClaimDocument]:
        """Known claims, newest `since` first, then by id."""

    def action(self, action_id: str) -> AuditDocument | None:
        """What became of an action; the first entry stays, whatever is written later."""

    def audit(
        self, *, alert_id: str | None = None, limit: int = 100, offset: int = 0
    ) -> list[AuditDocument]:
        """The audit, of all or of one alert, in the log's order, last first."""

    def search(self, text: str, *, limit: int = 50) -> list[PostDocument]:
        """Posts that hold all words of `text`, newest first; diacritics make no difference."""

    def counts(self) -> dict[str, int]:
        """Documents by kind: rumors, alerts, posts, trends (merged ones included)."""

    def newest(self) -> int | None:
        """Start of the newest trend bucket (ms), the time that the stream has reached; None: empty."""

    def expire(self, ages: Ages, now: int, *, dry_run: bool = False) -> dict[str, int]:
        """Drop documents past their age at `now` (ms), never those of an open rumor.

        Returns how many by kind. A dry run only counts.
        """

    def refresh(self) -> None:
        """Make all that was written visible to the questions."""

    def close(self) -> None: ...
