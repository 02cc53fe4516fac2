"""The log keeps order and offsets, whatever is cut off before or torn off by a crash."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from streams.sqlite_database import Database, DatabaseError
from streams.sqlite_log import SqliteLog


@pytest.fixture
def log(tmp_path: Path):
    log = SqliteLog(tmp_path / "log.db")
    yield log
    log.close()


def test_offsets_count_up_per_topic(log: SqliteLog) -> None:
    assert log.end("a") == 0
    assert log.append("a", [b"0", b"1"]) == 0
    assert log.append("b", [b"x"]) == 0
    assert log.append("a", []) == 2
    assert log.append("a", [b"2"]) == 2
    assert log.read("a", 0, 10) == [(0, b"0"), (1, b"1"), (2, b"2")]
    assert log.read("a", 1, 1) == [(1, b"1")]
    assert log.read("a", 3, 10) == log.read("none", 0, 10) == []
    assert log.read("b", 0, 10) == [(0, b"x")]
    assert (log.end("a"), log.end("b")) == (3, 1)
    assert log.topics() == ["a", "b"]


def test_truncation_keeps_offsets(log: SqliteLog) -> None:
    log.append("a", [b"%d" % i for i in range(10)])
    log.append("b", [b"x"])
    log.truncate_before("a", 4)
    log.truncate_before("a", 2)
    assert log.read("a", 0, 2) == [(4, b"4"), (5, b"5")]
    assert (log.start("a"), log.end("a")) == (4, 10)
    log.truncate_before("a", 99)
    assert log.read("a", 0, 10) == []
    assert log.append("a", [b"10"]) == 10
    assert log.read("b", 0, 10) == [(0, b"x")]


def test_what_came_last_is_dropped(log: SqliteLog) -> None:
    log.append("a", [b"%d" % i for i in range(10)])
    log.append("b", [b"x"])
    log.truncate_after("a", 12)
    assert log.end("a") == 10
    log.truncate_after("a", 7)
    assert log.read("a", 5, 10) == [(5, b"5"), (6, b"6")]
    assert log.append("a", [b"other"]) == 7
    log.truncate_before("a", 6)
    log.truncate_after("a", 3)
    assert (log.start("a"), log.end("a"), log.read("a", 0, 10)) == (6, 6, [])
    log.truncate_after("none", 0)
    assert log.read("b", 0, 10) == [(0, b"x")]


def test_the_log_is_there_after_opening_again(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path / "log.db")
    log.append("a", [b"0"])
    log.close()
    log = SqliteLog(tmp_path / "log.db")
    assert log.append("a", [b"1"]) == 1
    assert log.read("a", 0, 10) == [(0, b"0"), (1, b"1")]
    log.close()


def test_threads_that_append_leave_no_hole(log: SqliteLog) -> None:
    threads = [
        threading.Thread(target=lambda n=n: [log.append("a", [b"%d" % n] * 3) for _ in range(20)])
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [offset for offset, _ in log.read("a", 0, 1000)] == list(range(240))


def test_a_transaction_that_fails_leaves_no_record(tmp_path: Path) -> None:
    with Database(tmp_path / "log.db") as database:
        log = SqliteLog(database)
        with pytest.raises(KeyError), database.transaction():
            log.append("a", [b"0"])
            raise KeyError
        assert log.append("a", [b"1"]) == 0
        assert log.read("a", 0, 10) == [(0, b"1")]


def test_a_nested_failure_undoes_its_own_writes_only(tmp_path: Path) -> None:
    with Database(tmp_path / "log.db") as database:
        log = SqliteLog(database)
        with database.transaction():
            log.append("a", [b"0"])
            with pytest.raises(KeyError), database.transaction():
                log.append("a", [b"torn"])
                raise KeyError
            log.append("a", [b"1"])
        assert log.read("a", 0, 10) == [(0, b"0"), (1, b"1")]


def test_other_threads_see_only_what_is_committed(tmp_path: Path) -> None:
    with Database(tmp_path / "log.db") as database:
        log = SqliteLog(database)
        seen: list[int] = []
        with database.transaction():
            log.append("a", [b"0"])
            assert log.end("a") == 1
            reader = threading.Thread(target=lambda: seen.append(log.end("a")))
            reader.start()
            reader.join()
        assert seen == [0]
        assert log.end("a") == 1


def test_a_file_in_use_elsewhere_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.sqlite_database.BUSY_MS", 50)
    first, second = Database(tmp_path / "log.db"), Database(tmp_path / "log.db")
    with first.transaction() as connection:
        connection.execute("CREATE TABLE x (y)")
        with pytest.raises(DatabaseError, match="in use by another process"), second.transaction():
            pass
    first.close()
    second.close()
