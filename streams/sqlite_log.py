"""Append-only logs in an SQLite file: what Kafka's topics are to the road with servers.

A record's row number is topic number * 2**48 + offset, so that a topic's records lie together in
the file and reading on from an offset needs no further index.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from streams.sqlite_database import Database

OFFSET_BITS = 48  # 2.8e14 records in a topic, 32,767 topics

_SCHEMA = """
CREATE TABLE IF NOT EXISTS topics (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
    first INTEGER NOT NULL DEFAULT 0, next INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS records (place INTEGER PRIMARY KEY, value BLOB NOT NULL);
"""


class SqliteLog:
    """Topics of raw records with offsets 0, 1, 2, ...; an append is durable when it returns.

    Inside `database.transaction()` it is durable when that transaction ends.
    """

    def __init__(self, where: str | Path | Database) -> None:
        """`where`: a path, or a database that is shared with a store. Raises DatabaseError."""
        self._owned = not isinstance(where, Database)
        self.database = where if isinstance(where, Database) else Database(where)
        self.database.create(_SCHEMA)

    def append(self, topic: str, values: Sequence[bytes]) -> int:
        """Append the records in order; returns the offset of the first."""
        with self.database.transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO topics (name) VALUES (?)", (topic,))
            number, first = connection.execute(
                "SELECT number, next FROM topics WHERE name = ?", (topic,)
            ).fetchone()
            place = (int(number) << OFFSET_BITS) + int(first)
            connection.executemany(
                "INSERT INTO records VALUES (?, ?)",
                ((place + i, value) for i, value in enumerate(values)),
            )
            connection.execute(
                "UPDATE topics SET next = ? WHERE number = ?", (first + len(values), number)
            )
        return int(first)

    def read(self, topic: str, from_offset: int, limit: int) -> list[tuple[int, bytes]]:
        """At most `limit` records from `from_offset` on; later ones where the log was truncated."""
        with self.database.reading() as connection:
            number, first, end = self._topic(topic)
            start = max(from_offset, first)
            if start >= end:
                return []
            base = number << OFFSET_BITS
            rows = connection.execute(
                "SELECT place, value FROM records WHERE place >= ? AND place < ?"
                " ORDER BY place LIMIT ?",
                (base + start, base + end, limit),
            ).fetchall()
        return [(place - base, value) for place, value in rows]

    def start(self, topic: str) -> int:
        """The offset of the oldest record that is kept."""
        return self._topic(topic)[1]

    def end(self, topic: str) -> int:
        """The offset that the next record will get; 0 for a topic without records."""
        return self._topic(topic)[2]

    def topics(self) -> list[str]:
        with self.database.reading() as connection:
            return [row[0] for row in connection.execute("SELECT name FROM topics ORDER BY name")]

    def truncate_before(self, topic: str, offset: int) -> None:
        """Drop the records before `offset`; offsets of the others stay."""
        with self.database.transaction() as connection:
            number, first, end = self._topic(topic)
            cut = min(offset, end)
            if cut <= first:
                return
            _drop(connection, number, first, cut)
            connection.execute("UPDATE topics SET first = ? WHERE number = ?", (cut, number))

    def truncate_after(self, topic: str, end: int) -> None:
        """Drop the records from offset `end` on: the next one gets that offset."""
        with self.database.transaction() as connection:
            number, first, last = self._topic(topic)
            cut = max(end, first)
            if cut >= last:
                return
            _drop(connection, number, cut, last)
            connection.execute("UPDATE topics SET next = ? WHERE number = ?", (cut, number))

    def close(self) -> None:
        """Close the file if this log opened it."""
        if self._owned:
            self.database.close()

    def _topic(self, topic: str) -> tuple[int, int, int]:
        """Number, first kept offset, next offset."""
        with self.database.reading() as connection:
            row = connection.execute(
                "SELECT number, first, next FROM topics WHERE name = ?", (topic,)
            ).fetchone()
        return (int(row[0]), int(row[1]), int(row[2])) if row else (0, 0, 0)


def _drop(connection: sqlite3.Connection, topic: int, start: int, end: int) -> None:
    base = topic << OFFSET_BITS
    connection.execute(
        "DELETE FROM records WHERE place >= ? AND place < ?", (base + start, base + end)
    )
