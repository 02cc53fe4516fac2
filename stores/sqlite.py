"""The store of the embedded road: whole documents in an SQLite file, and what questions need.

A document is kept as the msgpack of its record; columns beside it serve the version gate, order and
filters. Found text is an FTS5 index without content: it is given words that `stores.folding` made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from stores.base import StoreError
from stores.folding import FOLDING_VERSION
from stores.retention import Ages, cuts
from stores.sqlite_reading import SqliteReading, store_errors
from stores.sqlite_schema import SCHEMA, SCHEMA_VERSION
from stores.sqlite_writing import expire, index_anew, put
from streams.documents import Batch
from streams.sqlite_database import Database


class _DryRun(Exception):
    """Takes a transaction back."""


class SqliteStore(SqliteReading):
    """A `stores.base.Store` in one file. Thread-safe; a write is durable when it returns."""

    def __init__(self, where: str | Path | Database) -> None:
        """`where`: a path, or a database that is shared with a log. Raises StoreError."""
        self._owned = not isinstance(where, Database)
        with store_errors():
            self.database = where if isinstance(where, Database) else Database(where)
            try:
                self.database.create(SCHEMA)
                self._check_versions()
            except BaseException:
                self.close()
                raise

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Writes, blobs and log appends inside become durable together, or none of them."""
        with store_errors(), self.database.transaction():
            yield

    def write(self, batch: Batch) -> int:
        """Write whole documents; returns how many were stored: older ones are left out."""
        with store_errors(), self.database.transaction() as connection:
            return put(connection, batch)

    def put_blob(self, key: str, value: bytes | memoryview) -> None:
        """Keep a state (a checkpoint) beside the documents, in the transaction if there is one."""
        with store_errors():
            self.database.put_blob(key, value)

    def put_pieces(self, key: str, pieces: Iterable[bytes | memoryview]) -> None:
        """`put_blob` for a state that comes piece by piece."""
        with store_errors():
            self.database.put_pieces(key, pieces)

    def get_blob(self, key: str) -> bytes | None:
        with store_errors():
            return self.database.get_blob(key)

    def expire(self, ages: Ages, now: int, *, dry_run: bool = False) -> dict[str, int]:
        """Drop documents past their age, never those of an open rumor; returns how many by kind."""
        gone: dict[str, int] = {}
        with suppress(_DryRun), store_errors(), self.database.transaction() as connection:
            gone = expire(connection, cuts(ages, now))
            if dry_run:
                raise _DryRun
        return gone

    def refresh(self) -> None:
        """Nothing to wait for: what a write stored is visible when it returns."""

    def close(self) -> None:
        """Close the file if this store opened it."""
        if self._owned and hasattr(self, "database"):
            self.database.close()

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
                index_anew(connection)
            connection.executemany(
                "INSERT OR REPLACE INTO store_versions VALUES (?, ?)",
                (("schema", SCHEMA_VERSION), ("folding", FOLDING_VERSION)),
            )
