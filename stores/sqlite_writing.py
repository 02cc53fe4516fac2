"""How documents get into the SQLite store and leave it: statements and rows, inside a transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable

import msgspec

from stores import sqlite_desk as desk
from stores.folding import folded
from stores.retention import Cuts
from streams.documents import (
    AlertDocument,
    Batch,
    PostDocument,
    RumorDocument,
    TrendDocument,
    post_key,
)

Values = list[str | int | float | bytes | None]

_encode = msgspec.msgpack.Encoder().encode
_post = msgspec.msgpack.Decoder(PostDocument)

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
INSERT INTO trends (bucket, language, platform, category, version, document)
VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (bucket, language, platform, category) DO UPDATE SET version = excluded.version,
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


def put(connection: sqlite3.Connection, batch: Batch) -> int:
    """Store whole documents; returns how many: older ones are left out."""
    stored = connection.executemany(_PUT_RUMOR, map(_rumor_row, batch.rumors)).rowcount
    stored += connection.executemany(_PUT_ALERT, map(_alert_row, batch.alerts)).rowcount
    stored += connection.executemany(_PUT_TREND, map(_trend_row, batch.trends)).rowcount
    return stored + _put_posts(connection, batch.posts) + desk.put(connection, batch)


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
    key = (trend.bucket, trend.language, trend.platform, trend.category)
    return [*key, trend.version, _encode(trend)]


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


def expire(connection: sqlite3.Connection, limits: Cuts) -> dict[str, int]:
    """Drop documents that are past the limits, never those of an open rumor; how many by kind."""
    old = connection.execute(
        "SELECT place, document FROM posts WHERE created_at < ?"
        " AND rumor_id NOT IN (SELECT id FROM rumors WHERE open)",
        (limits.posts,),
    ).fetchall()
    connection.executemany(
        _DROP_TEXT, ((place, folded(_post.decode(raw).text)) for place, raw in old)
    )
    connection.executemany("DELETE FROM posts WHERE place = ?", ((row[0],) for row in old))
    gone = {"posts": len(old)}
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
    return gone


def index_anew(connection: sqlite3.Connection) -> None:
    """Fill the index of texts again, after its words are made in another way."""
    connection.execute("INSERT INTO posts_text (posts_text) VALUES ('delete-all')")
    rows = connection.execute("SELECT place, document FROM posts ORDER BY place")
    connection.executemany(
        _ADD_TEXT, ((place, folded(_post.decode(raw).text)) for place, raw in rows)
    )
