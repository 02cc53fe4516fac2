"""The store of the embedded road: whole documents in an SQLite file, and what questions need.

A document is kept as the msgpack of its record; columns beside it serve the version gate, order and
filters. Found text is an FTS5 index without content: it is given words that `stores.folding` made.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import msgspec

from stores import sqlite_desk as desk
from stores.base import Similar, StoreError
from stores.folding import FOLDING_VERSION, folded, query_words
from stores.nearness import cosines
from stores.retention import Ages, cuts
from stores.sqlite_schema import SCHEMA, SCHEMA_VERSION
from streams.documents import (
    AlertDocument,
    AuditDocument,
    Batch,
    ClaimDocument,
    Level,
    PostDocument,
    RumorDocument,
    Status,
    TrendDocument,
    post_key,
)
from streams.sqlite_database import Database, DatabaseError

D = TypeVar("D")
Values = list[str | int | float | bytes | None]

_encode = msgspec.msgpack.Encoder().encode
_rumor = msgspec.msgpack.Decoder(RumorDocument)
_alert = msgspec.msgpack.Decoder(AlertDocument)
_post = msgspec.msgpack.Decoder(PostDocument)
_trend = msgspec.msgpack.Decoder(TrendDocument)

_PUT_RUMOR = """
INSERT INTO rumors (id, version, score, merged, open, last_post_at, vector, document)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET version = excluded.version, score = excluded.score,
    merged = excluded.merged, open = excluded.open, last_post_at = excluded.last_post_at,
    vector = excluded.vector, document = excluded.document
WHERE excluded.version >= version
"""
_PUT_ALERT = """
INSERT INTO alerts (id, version, level, status, rumor_id, raised_at, merged, document)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET version = excluded.version, level = excluded.level,
    status = excluded.status, rumor_id = excluded.rumor_id, raised_at = excluded.raised_at,
    merged = excluded.merged, document = excluded.document
WHERE excluded.version >= version
"""
_PUT_TREND = """
INSERT INTO trends (bucket, language, platform, version, document) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (bucket, language, platform) DO UPDATE SET version = excluded.version,
    document = excluded.document
WHERE excluded.version >= version
"""
_STANDING_POSTS = """
SELECT key, place, version, document FROM posts WHERE key IN (SELECT value FROM json_each(?))
"""
_ADD_POST = """
INSERT INTO posts (place, key, version, rumor_id, created_at, document) VALUES (?, ?, ?, ?, ?, ?)
"""
_REPLACE_POST = """
UPDATE posts SET version = ?1, rumor_id = ?2, created_at = ?3, document = ?4
WHERE place = ?5 AND ?1 >= version
"""
_ADD_TEXT = "INSERT INTO posts_text (rowid, text) VALUES (?, ?)"
_DROP_TEXT = "INSERT INTO posts_text (posts_text, rowid, text) VALUES ('delete', ?, ?)"


class _DryRun(Exception):
    """Takes a transaction back."""


@contextmanager
def _store_errors() -> Iterator[None]:
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


class SqliteStore:
    """A `stores.base.Store` in one file. Thread-safe; a write is durable when it returns."""

    def __init__(self, where: str | Path | Database) -> None:
        """`where`: a path, or a database that is shared with a log. Raises StoreError."""
        self._owned = not isinstance(where, Database)
        with _store_errors():
            self.database = where if isinstance(where, Database) else Database(where)
            try:
                self.database.create(SCHEMA)
                self._check_versions()
            except BaseException:
                self.close()
                raise

    # --- writing ------------------------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Writes, blobs and log appends inside become durable together, or none of them."""
        with _store_errors(), self.database.transaction():
            yield

    def write(self, batch: Batch) -> int:
        """Write whole documents; returns how many were stored: older ones are left out."""
        with _store_errors(), self.database.transaction() as connection:
            stored = connection.executemany(_PUT_RUMOR, map(_rumor_row, batch.rumors)).rowcount
            stored += connection.executemany(_PUT_ALERT, map(_alert_row, batch.alerts)).rowcount
            stored += connection.executemany(_PUT_TREND, map(_trend_row, batch.trends)).rowcount
            return stored + _put_posts(connection, batch.posts) + desk.put(connection, batch)

    def put_blob(self, key: str, value: bytes | memoryview) -> None:
        """Keep a state (a checkpoint) beside the documents, in the transaction if there is one."""
        with _store_errors():
            self.database.put_blob(key, value)

    def get_blob(self, key: str) -> bytes | None:
        with _store_errors():
            return self.database.get_blob(key)

    def newest(self) -> int | None:
        """Start of the newest trend bucket, ms; None when there is none."""
        with _store_errors(), self.database.reading() as connection:
            found: int | None = connection.execute("SELECT max(bucket) FROM trends").fetchone()[0]
            return found

    def expire(self, ages: Ages, now: int, *, dry_run: bool = False) -> dict[str, int]:
        """Drop documents past their age, never those of an open rumor; returns how many by kind."""
        gone: dict[str, int] = {}
        with suppress(_DryRun):
            self._expire(ages, now, gone, dry_run)
        return gone

    def _expire(self, ages: Ages, now: int, gone: dict[str, int], dry_run: bool) -> None:
        limits = cuts(ages, now)
        with _store_errors(), self.database.transaction() as connection:
            old = connection.execute(
                "SELECT place, document FROM posts WHERE created_at < ?"
                " AND rumor_id NOT IN (SELECT id FROM rumors WHERE open)",
                (limits.posts,),
            ).fetchall()
            connection.executemany(
                _DROP_TEXT, ((place, folded(_post.decode(raw).text)) for place, raw in old)
            )
            connection.executemany("DELETE FROM posts WHERE place = ?", ((row[0],) for row in old))
            gone["posts"] = len(old)
            for kind, question in (
                ("rumors", "DELETE FROM rumors WHERE last_post_at < ? AND NOT open"),
                (
                    "alerts",
                    "DELETE FROM alerts WHERE raised_at < ?"
                    " AND rumor_id NOT IN (SELECT id FROM rumors WHERE open)",
                ),
                ("trends", "DELETE FROM trends WHERE bucket < ?"),
            ):
                cut = getattr(limits, kind)
                gone[kind] = connection.execute(question, (cut,)).rowcount
            if dry_run:
                raise _DryRun

    # --- questions ----------------------------------------------------------------------------

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
        with _store_errors(), self.database.reading() as connection:
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
        """Buckets with start <= bucket < end (ms), in time order, then by language and platform."""
        question = "SELECT document FROM trends WHERE bucket >= ? AND bucket < ?"
        question += " ORDER BY bucket, language, platform"
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

    def counts(self) -> dict[str, int]:
        """Documents by kind: rumors, alerts, posts, trends (merged ones included)."""
        kinds = ("rumors", "alerts", "posts", "trends")
        question = "SELECT " + ", ".join(f"(SELECT count(*) FROM {kind})" for kind in kinds)
        with _store_errors(), self.database.reading() as connection:
            return dict(zip(kinds, connection.execute(question).fetchone(), strict=True))

    def refresh(self) -> None:
        """Nothing to wait for: what a write stored is visible when it returns."""

    def close(self) -> None:
        """Close the file if this store opened it."""
        if self._owned and hasattr(self, "database"):
            self.database.close()

    # --- inside -------------------------------------------------------------------------------

    def _documents(
        self, decoder: msgspec.msgpack.Decoder[D], question: str, values: Values
    ) -> list[D]:
        with _store_errors():
            with self.database.reading() as connection:
                rows = connection.execute(question, values).fetchall()
            return [decoder.decode(row[0]) for row in rows]

    def _check_versions(self) -> None:
        with self.database.transaction() as connection:
            versions = dict(connection.execute("SELECT name, version FROM store_versions"))
            if versions.get("schema", SCHEMA_VERSION) != SCHEMA_VERSION:
                raise StoreError(
                    f"{self.database.path} was written by another version of Tindon (store version"
                    f" {versions['schema']}, this one reads {SCHEMA_VERSION}):"
                    " give another path and replay."
                )
            if versions.get("folding", FOLDING_VERSION) != FOLDING_VERSION:
                _index_anew(connection)
            connection.executemany(
                "INSERT OR REPLACE INTO store_versions VALUES (?, ?)",
                (("schema", SCHEMA_VERSION), ("folding", FOLDING_VERSION)),
            )


def _nearest(pair: tuple[float, str]) -> tuple[float, str]:
    return -pair[0], pair[1]


def _rumor_row(rumor: RumorDocument) -> Values:
    merged = rumor.merged_into is not None
    return [
        rumor.rumor_id, rumor.version, rumor.score, merged, rumor.open, rumor.last_post_at,
        rumor.vector if any(rumor.vector) else None, _encode(rumor),
    ]  # fmt: skip


def _alert_row(alert: AlertDocument) -> Values:
    merged = alert.merged_into is not None
    return [
        alert.alert_id, alert.version, alert.level, alert.status, alert.rumor_id, alert.raised_at,
        merged, _encode(alert),
    ]  # fmt: skip


def _trend_row(trend: TrendDocument) -> Values:
    return [trend.bucket, trend.language, trend.platform, trend.version, _encode(trend)]


def _put_posts(connection: sqlite3.Connection, posts: Iterable[PostDocument]) -> int:
    newest: dict[str, PostDocument] = {}
    for post in posts:
        key = post_key(post.source, post.post_id)
        if key not in newest or post.version >= newest[key].version:
            newest[key] = post
    if not newest:
        return 0
    standing = {
        key: (place, version, raw)
        for key, place, version, raw in connection.execute(
            _STANDING_POSTS, (json.dumps(list(newest)),)
        )
    }
    # The transaction holds the write lock, so nobody takes these places in between.
    place = connection.execute("SELECT coalesce(max(place), 0) FROM posts").fetchone()[0]
    stored, added, texts = 0, list[Values](), list[Values]()
    for key, post in newest.items():
        found = standing.get(key)
        if found is None:
            place += 1
            added.append([place, key, post.version, post.rumor_id, post.created_at, _encode(post)])
            texts.append([place, folded(post.text)])
            continue
        at, _, raw = found
        values = (post.version, post.rumor_id, post.created_at, _encode(post), at)
        if connection.execute(_REPLACE_POST, values).rowcount:
            stored += 1
            before = _post.decode(raw).text
            if before != post.text:
                connection.execute(_DROP_TEXT, (at, folded(before)))
                texts.append([at, folded(post.text)])
    connection.executemany(_ADD_POST, added)
    connection.executemany(_ADD_TEXT, texts)
    return stored + len(added)


def _index_anew(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO posts_text (posts_text) VALUES ('delete-all')")
    rows = connection.execute("SELECT place, document FROM posts ORDER BY place")
    connection.executemany(
        _ADD_TEXT, ((place, folded(_post.decode(raw).text)) for place, raw in rows)
    )
