"""The SQLite store keeps the contract, is atomic with log and checkpoint, and tells the mends."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from stores.base import StoreError
from stores.retention import Ages
from stores.sqlite import SqliteStore
from streams.documents import Batch
from streams.sqlite_database import Database
from streams.sqlite_log import SqliteLog
from tests.contracts.store import Reopen, StoreContract
from tests.contracts.store_documents import BASE, DAY, alert, post, rumor, trend


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(path)
    yield store
    store.close()


class TestSqliteStore(StoreContract):
    @pytest.fixture
    def reopen(self, store: SqliteStore, path: Path) -> Iterator[Reopen]:
        opened: list[SqliteStore] = []

        def again() -> SqliteStore:
            store.close()
            opened.append(SqliteStore(path))
            return opened[-1]

        yield again
        for other in opened:
            other.close()


def test_documents_checkpoint_and_log_commit_together_or_not_at_all(path: Path) -> None:
    with Database(path) as database:
        store, log = SqliteStore(database), SqliteLog(database)
        with store.transaction():
            store.write(Batch(rumors=[rumor()]))
            store.put_blob("checkpoint", b"one")
            assert log.append("alerts", [b"x"]) == 0
            assert store.rumor("r1") is not None  # its own writes are seen inside
        with pytest.raises(RuntimeError), store.transaction():
            store.write(Batch(rumors=[rumor(version=2)], posts=[post()]))
            store.put_blob("checkpoint", b"two")
            log.append("alerts", [b"y"])
            raise RuntimeError
        assert store.rumor("r1") == rumor()
        assert store.counts()["posts"] == 0
        assert store.search("đập") == []
        assert store.get_blob("checkpoint") == b"one"
        assert log.end("alerts") == 1
        assert log.read("alerts", 0, 10) == [(0, b"x")]


def test_a_write_survives_kill_9(path: Path) -> None:
    script = (
        "import os, signal, sys\n"
        "from stores.sqlite import SqliteStore\n"
        "from streams.documents import Batch\n"
        "from tests.contracts.store_documents import post\n"
        "store = SqliteStore(sys.argv[1])\n"
        "store.write(Batch(posts=[post('kept')]))\n"
        "with store.transaction():\n"
        "    store.write(Batch(posts=[post('torn')]))\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    root = Path(__file__).parents[2]
    ended = subprocess.run(
        [sys.executable, "-c", script, str(path)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert ended.returncode == -9
    store = SqliteStore(path)
    assert store.search("đập") == [post("kept")]
    store.close()


def test_readers_do_not_wait_for_a_writer(store: SqliteStore, path: Path) -> None:
    store.write(Batch(rumors=[rumor()]))
    other = SqliteStore(path)
    with store.transaction():
        store.write(Batch(rumors=[rumor(version=2)]))
        started = time.monotonic()
        assert other.rumor("r1") == rumor()  # what is committed
        assert time.monotonic() - started < 5
    assert other.rumor("r1") == rumor(version=2)
    other.close()


def test_a_large_blob_is_kept_in_parts(store: SqliteStore) -> None:
    large = os.urandom(1024) * (40 * 1024)  # 40 MiB
    store.put_blob("checkpoint", large)
    assert store.get_blob("checkpoint") == large
    sizes = [1, 5_000_000, 0, 3_388_607, 1, 4_194_303, 4_194_304, 20_000_000, 7]
    ends = [sum(sizes[: n + 1]) for n in range(len(sizes))]
    pieces = [large[end - size : end] for size, end in zip(sizes, ends, strict=True)]
    store.put_pieces("checkpoint", (memoryview(piece) for piece in pieces))
    assert store.get_blob("checkpoint") == large[: ends[-1]]
    for nothing in ([], [b""]):
        store.put_pieces("checkpoint", nothing)
        assert store.get_blob("checkpoint") == b""
    store.put_blob("checkpoint", b"")
    assert store.get_blob("checkpoint") == b""
    assert store.get_blob("other") is None


def test_a_changed_folding_indexes_anew(path: Path) -> None:
    store = SqliteStore(path)
    store.write(Batch(posts=[post(text="bão lớn")]))
    store.close()
    connection = sqlite3.connect(path)
    connection.execute("INSERT INTO posts_text (posts_text) VALUES ('delete-all')")
    connection.execute("UPDATE store_versions SET version = 0 WHERE name = 'folding'")
    connection.commit()
    connection.close()
    store = SqliteStore(path)
    assert store.search("bao lon") == [post(text="bão lớn")]
    store.close()


def test_retention_spares_open_rumors(store: SqliteStore) -> None:
    now = BASE + 500 * DAY
    store.write(
        Batch(
            rumors=[
                rumor("open"),
                rumor("closed", open=False),
                rumor("young", open=False, last_post_at=now),
            ],
            alerts=[alert("a1", rumor_id="open"), alert("a2", rumor_id="closed")],
            posts=[post("p1", rumor_id="open"), post("p2", rumor_id="closed", text="lũ quét")],
            trends=[trend(BASE), trend(now)],
        )
    )
    gone = store.expire(Ages(posts=30, trends=400, rumors=400, alerts=400), now)
    assert gone == {"posts": 1, "rumors": 1, "alerts": 1, "trends": 1}
    assert [r.rumor_id for r in store.rumors()] == ["open", "young"]
    assert store.search("lũ quét") == []
    assert store.search("đập") == [post("p1", rumor_id="open")]
    for_ever = Ages(posts=None, trends=None, rumors=None, alerts=None)
    assert store.expire(for_ever, now + 9999 * DAY) == {
        "posts": 0, "rumors": 0, "alerts": 0, "trends": 0,
    }  # fmt: skip


class TestBadFiles:
    """One line that says what is wrong, and the mend."""

    def refused(self, path: Path) -> str:
        with pytest.raises(StoreError) as caught:
            SqliteStore(path)
        message = str(caught.value)
        assert "\n" not in message
        assert str(path) in message or str(path.parent) in message
        return message

    def test_no_sqlite_file(self, path: Path) -> None:
        path.write_bytes(b"hello, this is a text file and no database" * 100)
        assert "move it away" in self.refused(path)

    def test_a_damaged_file(self, path: Path) -> None:
        store = SqliteStore(path)
        store.write(Batch(posts=[post(str(i)) for i in range(2000)]))
        store.close()
        content = bytearray(path.read_bytes())
        content[4096:] = os.urandom(len(content) - 4096)
        path.write_bytes(bytes(content))
        with pytest.raises(StoreError, match=r"damaged.*move it away"):
            SqliteStore(path).search("đập")

    def test_a_value_that_cannot_be_kept(self, store: SqliteStore) -> None:
        with pytest.raises(StoreError, match="cannot be kept"):
            store.write(Batch(posts=[post("good"), post(reach=2**70)]))
        with pytest.raises(StoreError, match="cannot be kept"):
            store.write(Batch(posts=[post("good"), post(text="\ud800")]))
        with pytest.raises(StoreError):
            store.write(Batch(posts=[post("good")], rumors=[rumor(score=float("nan"))]))
        assert store.counts()["posts"] == 0, "a batch is written whole or not at all"

    def test_a_damaged_document(self, store: SqliteStore, path: Path) -> None:
        store.write(Batch(rumors=[rumor()]))
        with store.database.transaction() as connection:
            connection.execute("UPDATE rumors SET document = x'c1'")
        with pytest.raises(StoreError, match="replay"):
            store.rumor("r1")

    def test_a_file_of_another_program(self, path: Path) -> None:
        connection = sqlite3.connect(path)
        connection.execute("CREATE TABLE theirs (x)")
        connection.close()
        assert "another program" in self.refused(path)

    def test_a_file_of_another_version(self, path: Path) -> None:
        store = SqliteStore(path)
        with store.database.transaction() as connection:
            connection.execute("UPDATE store_versions SET version = 999 WHERE name = 'schema'")
        store.close()
        assert "another version" in self.refused(path)

    def test_a_folder(self, tmp_path: Path) -> None:
        assert "folder" in self.refused(tmp_path)

    def test_a_file_where_a_folder_should_be(self, path: Path) -> None:
        path.write_text("")
        self.refused(path / "below" / "store.db")

    @pytest.mark.skipif(not Path("/proc/1/attr").is_dir(), reason="needs Linux's /proc")
    def test_a_place_that_cannot_be_written(self) -> None:
        self.refused(Path("/proc/1/attr/store.db"))  # not even root writes here

    def test_a_full_disk(self, store: SqliteStore) -> None:
        store.write(Batch(rumors=[rumor()]))
        with store.database.transaction() as connection:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(
                f"PRAGMA max_page_count = {pages}"
            )  # SQLite's own error for a full disk
        with pytest.raises(StoreError, match=r"full: free some space"):
            store.write(Batch(posts=[post(str(i), text="x" * 5000) for i in range(200)]))
        with store.database.transaction() as connection:
            connection.execute("PRAGMA max_page_count = 1000000")
        assert store.counts() == {"rumors": 1, "alerts": 0, "posts": 0, "trends": 0}
        assert store.write(Batch(posts=[post()])) == 1  # goes on once there is space

    def test_a_closed_store(self, path: Path) -> None:
        store = SqliteStore(path)
        store.close()
        store.close()
        with pytest.raises(StoreError, match="closed"):
            store.rumors()
        with pytest.raises(StoreError, match="closed"):
            store.write(Batch(rumors=[rumor()]))
