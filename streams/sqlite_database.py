"""One SQLite file, shared by the log, the checkpoints and the store of the embedded road.

They share it so that one transaction can cover them all: documents, checkpoint and acknowledged
offset become durable together or not at all. WAL, `synchronous=FULL`: what is committed survives
kill -9 and a power cut. One writing connection behind a lock; reads take connections from a pool
and never wait for it.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

APPLICATION_ID = 0x54696E64  # "Tind": tells our files from other SQLite files
BUSY_MS = 10_000  # how long to wait for another process that writes
WRITER_CACHE_KIB = 4_096  # 16 MB take as much processor time; what is not here the system keeps
JOURNAL_LIMIT_BYTES = 64 * 1024 * 1024  # the -wal file is cut to this after a large transaction
CHECKPOINT_PAGES = (
    4_096  # of the -wal file (16 MB) until they are copied; SQLite's 1,000 copy hot ones often
)
BLOB_PART_BYTES = 4 * 1024 * 1024  # SQLite holds at most 1 GB in a value; parts also bound memory

_BLOBS = """
CREATE TABLE IF NOT EXISTS blobs (
    key TEXT NOT NULL, part INTEGER NOT NULL, value BLOB NOT NULL, PRIMARY KEY (key, part)
)
"""


class DatabaseError(Exception):
    """The file could not be opened, read or written; the message is one line with the mend."""


class Database:
    """An SQLite file with one writer and many readers, safe for threads and for other processes."""

    def __init__(self, path: str | Path) -> None:
        """Open or create the file. Raises DatabaseError when it cannot be used."""
        self.path = Path(path)
        self._lock = threading.RLock()  # held by the thread that writes, for the whole transaction
        self._owner: int | None = None  # that thread
        self._depth = 0
        self._idle: list[sqlite3.Connection] = []
        self._idle_lock = threading.Lock()
        self._closed = False
        self._check_folder()
        with self._errors():
            self._writer = self._connect()
            try:
                self._prepare()
            except BaseException:
                self._writer.close()
                raise

    # --- transactions -------------------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All writes inside become durable together at the end, or none when the body raises.

        Nested use joins the outer transaction; a nested body that raises undoes its own writes.
        """
        with self._lock:
            self._check_open()
            self._owner = threading.get_ident()
            mark = f"level{self._depth}"
            nested = self._depth > 0
            try:
                if nested and not self._writer.in_transaction:
                    raise DatabaseError(f"{self.path}: the transaction was undone: start it again.")
                with self._errors():
                    self._writer.execute(f"SAVEPOINT {mark}" if nested else "BEGIN IMMEDIATE")
                self._depth += 1
                try:
                    with self._errors():
                        yield self._writer
                        self._writer.execute(f"RELEASE {mark}" if nested else "COMMIT")
                except BaseException:
                    self._undo(mark if nested else None)
                    raise
                finally:
                    self._depth -= 1
            finally:
                if self._depth == 0:
                    self._owner = None

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for reads: what is committed, inside a transaction its own writes too."""
        if self._owner == threading.get_ident():
            with self._errors():
                yield self._writer
            return
        self._check_open()
        with self._errors():
            with self._idle_lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                connection = self._connect()
                connection.execute("PRAGMA query_only = ON")
            try:
                yield connection
            finally:
                with self._idle_lock:
                    keep = not self._closed
                    if keep:
                        self._idle.append(connection)
                if not keep:
                    connection.close()

    def create(self, script: str) -> None:
        """Create tables and indices; the script says IF NOT EXISTS throughout."""
        with self.transaction() as connection:
            for statement in script.split(";"):
                if statement.strip():
                    connection.execute(statement)

    # --- small values -------------------------------------------------------------------------

    def put_blob(self, key: str, value: bytes | memoryview) -> None:
        """Keep `value` under `key`, in place of what stood there."""
        self.put_pieces(key, [value])

    def put_pieces(self, key: str, pieces: Iterable[bytes | memoryview]) -> None:
        """Keep the pieces, one after another, as one value. Each is written as soon as it comes."""
        with self.transaction() as connection:
            connection.execute("DELETE FROM blobs WHERE key = ?", (key,))
            connection.executemany(
                "INSERT INTO blobs VALUES (?, ?, ?)",
                ((key, number, part) for number, part in enumerate(_parts(pieces))),
            )

    def get_blob(self, key: str) -> bytes | None:
        """The value under `key`; None when there is none."""
        with self.reading() as connection:
            rows = connection.execute(
                "SELECT value FROM blobs WHERE key = ? ORDER BY part", (key,)
            ).fetchall()
        if not rows:
            return None
        return rows[0][0] if len(rows) == 1 else b"".join(row[0] for row in rows)

    def close(self) -> None:
        """Close all connections; a second call does nothing."""
        with self._lock, self._idle_lock:
            if self._closed:
                return
            self._closed = True
            for connection in self._idle:
                connection.close()
            self._idle.clear()
            self._writer.close()

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # --- inside -------------------------------------------------------------------------------

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=BUSY_MS / 1000, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def _prepare(self) -> None:
        ours = self._writer.execute("PRAGMA application_id").fetchone()[0]
        tables = self._writer.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if ours != APPLICATION_ID and tables:
            raise DatabaseError(
                f"{self.path} is an SQLite file of another program: give another path."
            )
        self._writer.execute("PRAGMA journal_mode = WAL")
        self._writer.execute(f"PRAGMA journal_size_limit = {JOURNAL_LIMIT_BYTES}")
        self._writer.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        self._writer.execute(f"PRAGMA cache_size = -{WRITER_CACHE_KIB}")
        if ours != APPLICATION_ID:
            self._writer.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        self._writer.execute(_BLOBS)

    def _check_folder(self) -> None:
        if self.path.is_dir():
            raise DatabaseError(f"{self.path} is a folder: give the path of a file.")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DatabaseError(self._mend_os(error)) from error

    def _check_open(self) -> None:
        if self._closed:
            raise DatabaseError(f"{self.path} is closed: open it again.")

    def _undo(self, mark: str | None) -> None:
        try:
            if mark is None:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
            else:
                self._writer.execute(f"ROLLBACK TO {mark}")
                self._writer.execute(f"RELEASE {mark}")
        except sqlite3.Error:
            pass  # a full disk undoes the transaction by itself; the first error is the one to tell

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise DatabaseError(self._mend(error)) from error

    def _mend(self, error: sqlite3.Error) -> str:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # primary result code
        if code == sqlite3.SQLITE_FULL:
            return f"The disk that holds {self.path} is full: free some space and start again."
        if code == sqlite3.SQLITE_READONLY:
            return (
                f"{self.path} is read-only: make it and its folder writable, or give another path."
            )
        if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH):
            return (
                f"{self.path} cannot be opened: make the file and its folder readable and writable."
            )
        if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            return f"{self.path} is damaged or no SQLite file: move it away and replay the posts."
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return f"{self.path} is in use by another process: stop that process and start again."
        if code == sqlite3.SQLITE_IOERR:
            return f"{self.path} cannot be read or written ({error}): check the disk and its space."
        return f"{self.path}: {error}: move the file away if the version of Tindon changed."

    def _mend_os(self, error: OSError) -> str:
        reason = os.strerror(error.errno) if error.errno else str(error)
        if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
            return f"{self.path.parent} cannot be written ({reason}): give a writable folder."
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return f"The disk that holds {self.path} is full: free some space and start again."
        return f"{self.path} cannot be used ({reason}): give another path."


def _parts(pieces: Iterable[bytes | memoryview]) -> Iterator[bytearray | memoryview]:
    """The same bytes in parts of BLOB_PART_BYTES and a shorter one at the end."""
    part = bytearray()
    for piece in pieces:
        view = memoryview(piece).cast("B")
        while len(part) + len(view) >= BLOB_PART_BYTES:
            room = BLOB_PART_BYTES - len(part)
            yield part + view[:room] if part else view[:room]
            part, view = bytearray(), view[room:]
        part += view
    yield part
