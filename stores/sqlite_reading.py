"""The questions that the SQLite store answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import msgspec

from stores import sqlite_desk as desk
from stores.base import Similar, StoreError
from stores.folding import query_words
from stores.nearness import cosines
from stores.sqlite_writing import Values
from streams.documents import (
    AlertDocument,
    AuditDocument,
    ClaimDocument,
    Level,
    PostDocument,
    RumorDocument,
    Status,
    TrendDocument,
)
from streams.sqlite_database import Database, DatabaseError

D = TypeVar("D")

_rumor = msgspec.msgpack.Decoder(RumorDocument)
_alert = msgspec.msgpack.Decoder(AlertDocument)
_post = msgspec.msgpack.Decoder(PostDocument)
_trend = msgspec.msgpack.Decoder(TrendDocument)


@contextmanager
def store_errors() -> Iterator[None]:
    """What goes wrong inside is a StoreError."""
    try:
        yield
    except DatabaseError as error:
        raise StoreError(str(error)) from error
    except (OverflowError, UnicodeEncodeError) as error:
        raise StoreError(f"A document cannot be kept ({error}): correct its source.") from error
    except msgspec.DecodeError as error:
        raise StoreError(
            f"A stored document cannot be read ({error}): move the file away and replay the posts."
        ) from error


class SqliteReading:
    """The half of the store that asks and changes nothing."""

    database: Database

    def alert(self, alert_id: str) -> AlertDocument | None:
        """The alert as stored, merged or not."""
        found = self._documents(_alert, "SELECT document FROM alerts WHERE id = ?", [alert_id])
        return found[0] if found else None

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
        question, values = "SELECT document FROM alerts WHERE merged = 0", Values()
        for column, wanted in (("level", level), ("status", status), ("rumor_id", rumor_id)):
            if wanted is not None:
                question += f" AND {column} = ?"
                values.append(wanted)
        question += " ORDER BY raised_at DESC, id LIMIT ? OFFSET ?"
        return self._documents(_alert, question, [*values, limit, offset])

    def rumor(self, rumor_id: str) -> RumorDocument | None:
        """The rumor as stored; follow `merged_into` for its heir."""
        found = self._documents(_rumor, "SELECT document FROM rumors WHERE id = ?", [rumor_id])
        return found[0] if found else None

    def rumors(
        self, *, open_only: bool = False, limit: int = 100, offset: int = 0
    ) -> list[RumorDocument]:
        """Rumors by score, highest first, then by id; merged ones left out."""
        question = "SELECT document FROM rumors WHERE merged = 0"
        question += " AND open = 1" if open_only else ""
        question += " ORDER BY score DESC, id LIMIT ? OFFSET ?"
        return self._documents(_rumor, question, [limit, offset])

    def similar(self, rumor_id: str, *, limit: int = 10) -> list[Similar]:
        """Rumors nearest in meaning, open or closed: highest cosine first, then by id."""
        with store_errors(), self.database.reading() as connection:
            own = connection.execute(
                "SELECT vector FROM rumors WHERE id = ?", (rumor_id,)
            ).fetchone()
            if own is None or own[0] is None:
                return []
            others = connection.execute(
                "SELECT id, vector FROM rumors"
                " WHERE merged = 0 AND id != ? AND length(vector) = length(?)",
                (rumor_id, own[0]),
            ).fetchall()
        near = cosines(own[0], [vector for _, vector in others]).tolist()
        ranked = sorted(zip(near, (name for name, _ in others), strict=True), key=_nearest)
        found = [(self.rumor(name), cosine) for cosine, name in ranked[:limit]]
        return [Similar(rumor, cosine) for rumor, cosine in found if rumor is not None]

    def posts(self, rumor_id: str, *, limit: int = 100, offset: int = 0) -> list[PostDocument]:
        """Stored posts of a rumor, oldest first, then by key."""
        question = "SELECT document FROM posts WHERE rumor_id = ?"
        question += " ORDER BY created_at, key LIMIT ? OFFSET ?"
        return self._documents(_post, question, [rumor_id, limit, offset])

    def trends(self, start: int, end: int) -> list[TrendDocument]:
        """Buckets with start <= bucket < end (ms), in time order, then by language, platform, category."""
        question = "SELECT document FROM trends WHERE bucket >= ? AND bucket < ?"
        question += " ORDER BY bucket, language, platform, category"
        return self._documents(_trend, question, [start, end])

    def claim(self, claim_id: str) -> ClaimDocument | None:
        """A known claim."""
        found = self._documents(desk.claims, desk.CLAIM, [claim_id])
        return found[0] if found else None

    def claims(self, *, limit: int = 100, offset: int = 0) -> list[ClaimDocument]:
        """Known claims, newest `since` first, then by id."""
        return self._documents(desk.claims, desk.CLAIMS, [limit, offset])

    def action(self, action_id: str) -> AuditDocument | None:
        """What became of an action."""
        found = self._documents(desk.audits, desk.ACTION, [action_id])
        return found[0] if found else None

    def audit(
        self, *, alert_id: str | None = None, limit: int = 100, offset: int = 0
    ) -> list[AuditDocument]:
        """The audit, of all or of one alert, in the log's order, last first."""
        if alert_id is None:
            return self._documents(desk.audits, desk.AUDIT, [limit, offset])
        return self._documents(desk.audits, desk.AUDIT_OF, [alert_id, limit, offset])

    def search(self, text: str, *, limit: int = 50) -> list[PostDocument]:
        """Posts that hold all words of `text`, newest first; diacritics, case do not matter."""
        words = query_words(text)
        if not words:
            return []
        question = (
            "SELECT document FROM posts WHERE place IN"
            " (SELECT rowid FROM posts_text WHERE posts_text MATCH ?)"
            " ORDER BY created_at DESC, key LIMIT ?"
        )
        return self._documents(_post, question, [" ".join(f'"{word}"' for word in words), limit])

    def newest(self) -> int | None:
        """Start of the newest trend bucket, ms; None when there is none."""
        with store_errors(), self.database.reading() as connection:
            found: int | None = connection.execute("SELECT max(bucket) FROM trends").fetchone()[0]
            return found

    def counts(self) -> dict[str, int]:
        """Documents by kind: rumors, alerts, posts, trends (merged ones included)."""
        kinds = ("rumors", "alerts", "posts", "trends")
        question = "SELECT " + ", ".join(f"(SELECT count(*) FROM {kind})" for kind in kinds)
        with store_errors(), self.database.reading() as connection:
            return dict(zip(kinds, connection.execute(question).fetchone(), strict=True))

    def _documents(
        self, decoder: msgspec.msgpack.Decoder[D], question: str, values: Values
    ) -> list[D]:
        with store_errors():
            with self.database.reading() as connection:
                rows = connection.execute(question, values).fetchall()
            return [decoder.decode(row[0]) for row in rows]


def _nearest(pair: tuple[float, str]) -> tuple[float, str]:
    return -pair[0], pair[1]
