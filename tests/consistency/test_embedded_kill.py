"""The embedded road under kill -9, other cuts and other threads: the same bytes as undisturbed."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from agents import checkpoint
from agents.embedded import RESULTS
from agents.front import POSTS
from agents.replay_files import NAMES
from stores.sqlite import SqliteStore
from streams.codec import pack_state, unpack_state
from streams.sources.scenario import generate
from streams.sqlite_database import Database
from streams.sqlite_log import SqliteLog

POSTS_REPLAYED = 3000
CHECKPOINTS_S = 0.2  # seconds between two checkpoints while posts are being killed
WALL = ("wall_s", "posts_per_s", "peak_rss_bytes")  # what a second run may say differently
DOCUMENTS = {"rumors": "id", "alerts": "id", "posts": "key", "trends": "bucket, language, platform"}

# `tindon replay` with checkpoints so often that a kill falls between two of them.
COMMAND = f"""
import sys
from agents import embedded, replay
from cli.main import main
embedded.CHECKPOINT_S = {CHECKPOINTS_S}
embedded.CHECKPOINT_SHARE = 1.0
embedded.WRITTEN_S = 0.05
replay.CHUNK = int(sys.argv[1])
sys.exit(main(sys.argv[2:]))
"""


@pytest.fixture(scope="module")
def posts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first posts of the built-in scenario, some of them twice, late or damaged."""
    path = tmp_path_factory.mktemp("posts") / "day.jsonl"
    lines = [json.dumps(post, ensure_ascii=False) for post in generate()[:POSTS_REPLAYED]]
    late = {**json.loads(lines[0]), "id": "late", "created_at": "2026-10-01T00:00:00Z"}
    lines[1000:1000] = [lines[0], '{"id": "half', json.dumps(late)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def key_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


def environment(state: Path, threads: int = 1) -> dict[str, str]:
    own = {"TINDON_STATE_DIR": str(state), "OPENBLAS_NUM_THREADS": str(threads)}
    return {**os.environ, **own, "TINDON_INTAKE__PSEUDONYM_KEY": "a key for this test"}


def start(
    posts: Path, out: Path, state: Path, *, threads: int = 1, chunk: int = 50, processes: int = 1
) -> subprocess.Popen[str]:
    # --as-is keeps the damaged record in the middle of the log.
    arguments = [str(chunk), "replay", str(posts), "--as-is", "--out", str(out)]
    arguments += ["--processes", str(processes)]
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, *arguments],
        env=environment(state, threads),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> None:
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors


def files(out: Path) -> dict[str, Any]:
    """All files of a replay, and all documents of its store, without wall time."""
    found: dict[str, Any] = {name: (out / name).read_bytes() for name in NAMES}
    summary = json.loads(found.pop("summary.json"))
    for name in WALL:
        assert summary.pop(name) > 0
    found["summary.json"] = json.dumps(summary)
    with sqlite3.connect(f"file:{out / 'tindon.sqlite'}?mode=ro", uri=True) as store:
        for table, order in DOCUMENTS.items():
            chosen = "version, document" if table != "posts" else "key, version, document"
            found[table] = store.execute(
                f"SELECT {chosen} FROM {table} ORDER BY {order}"
            ).fetchall()
    store.close()
    return found


@pytest.fixture(scope="module")
def undisturbed(
    posts: Path, key_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("undisturbed")
    finish(start(posts, out, key_dir))
    found = files(out)
    summary = json.loads(found["summary.json"])
    assert summary["posts_in"] == POSTS_REPLAYED + 3
    assert found["assignments.jsonl"].count(b"\n") == summary["posts_in"]
    assert (summary["duplicates"], summary["late"], summary["dead"]) == (1, 1, 1)
    assert summary["alerts"]["suggest"] > 0
    assert all(found[table] for table in DOCUMENTS)
    return found


def same(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert {name for name in expected if found[name] != expected[name]} == set()


def place(out: Path) -> tuple[int, int]:
    """How far a replay has come: (records in the log, records that its checkpoint covers)."""
    path = out / "tindon.sqlite"
    if not path.exists():
        return 0, 0
    with Database(path) as database:
        blob = database.get_blob(checkpoint.HEAD)
        covered = unpack_state(blob)["next"] if blob else 0
        return SqliteLog(database).end(POSTS), covered


def wait_beyond(process: subprocess.Popen[str], out: Path, records: int) -> None:
    """Until the replay's log is longer than `records`, or the replay has ended."""
    path = out / "tindon.sqlite"
    deadline = time.monotonic() + 60
    logged = 0
    while time.monotonic() < deadline and process.poll() is None and logged <= records:
        time.sleep(0.005)
        if path.exists():
            logged = _logged(path)


def killed_beyond(process: subprocess.Popen[str], out: Path, records: int) -> tuple[int, int]:
    """Kill the process once its log is longer than `records`; where it was then."""
    wait_beyond(process, out, records)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL, "the replay ended before it was killed"
    return place(out)


def _logged(path: Path) -> int:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)
    try:
        rows = connection.execute("SELECT next FROM topics WHERE name = ?", (POSTS,)).fetchall()
    except sqlite3.OperationalError:  # no tables yet
        return 0
    finally:
        connection.close()
    return int(rows[0][0]) if rows else 0


def test_killed_and_resumed_gives_the_same_bytes(
    posts: Path, key_dir: Path, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    places = []
    for records in (0, 700, 1500, 2400):
        logged, covered = killed_beyond(start(posts, tmp_path, key_dir), tmp_path, records)
        places.append((logged, covered))
        assert logged > records, "something was logged"
        assert logged < POSTS_REPLAYED, "the rest was not"
        assert covered <= logged
        assert not (tmp_path / "summary.json").exists()
    # The log was partly folded: a checkpoint covered some of it, and at some kill not all.
    assert any(covered > 0 for _, covered in places), places
    assert any(covered < logged for logged, covered in places), places
    finish(start(posts, tmp_path, key_dir))
    same(files(tmp_path), undisturbed)


def children(pid: int) -> list[int]:
    """Of a process, by /proc; those that run our front."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                found.append(int(child))
    return found


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_two_processes_killed_and_resumed_give_the_same_bytes(
    posts: Path, key_dir: Path, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    process = start(posts, tmp_path, key_dir, processes=2)
    wait_beyond(process, tmp_path, 500)
    (front,) = children(process.pid)
    logged, _ = killed_beyond(process, tmp_path, 500)
    assert 500 < logged < POSTS_REPLAYED, "killed in the middle of the log"
    deadline = time.monotonic() + 60
    while lives(front):  # an orphan ends by itself
        assert time.monotonic() < deadline
        time.sleep(0.01)

    process = start(posts, tmp_path, key_dir, processes=2)
    wait_beyond(process, tmp_path, logged + 200)
    (front,) = children(process.pid)
    os.kill(front, signal.SIGKILL)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert len(errors.splitlines()) == 1, errors
    assert "signal 9" in errors and "goes on" in errors
    logged, _ = place(tmp_path)
    assert 700 < logged < POSTS_REPLAYED, "killed in the middle of the log"

    finish(start(posts, tmp_path, key_dir, processes=2))
    same(files(tmp_path), undisturbed)


@pytest.mark.parametrize("packed", [True, False])
def test_a_checkpoint_in_its_earlier_form_is_taken_up(
    posts: Path, key_dir: Path, undisturbed: dict[str, Any], tmp_path: Path, packed: bool
) -> None:
    # Older checkpoints were one blob, written together with all results; in the oldest the cluster
    # fold's snapshot stood in it as it is, not as bytes.
    killed_beyond(start(posts, tmp_path, key_dir), tmp_path, 1500)
    with Database(tmp_path / "tindon.sqlite") as database:
        store = SqliteStore(database)
        head, cluster = checkpoint.stands(store), checkpoint.cluster_in(store)
        assert head is not None and cluster is not None, "there was a checkpoint"
        SqliteLog(database).truncate_after(RESULTS, head.pop("results"))
        del head["parts"]
        head["cluster"] = cluster if packed else unpack_state(cluster)
        with database.transaction() as connection:
            connection.execute("DELETE FROM blobs WHERE key LIKE 'checkpoint/%'")
        database.put_blob(checkpoint.HEAD, pack_state(head))
    finish(start(posts, tmp_path, key_dir))
    same(files(tmp_path), undisturbed)


def test_killed_while_its_files_are_written_gives_the_same_bytes(
    posts: Path, key_dir: Path, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    process = start(posts, tmp_path, key_dir)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not list(tmp_path.glob("*.jsonl*")):
        time.sleep(0.001)
    process.kill()
    process.communicate(timeout=30)
    finish(start(posts, tmp_path, key_dir))
    same(files(tmp_path), undisturbed)


def test_a_second_run_and_two_threads_give_the_same_bytes(
    posts: Path, key_dir: Path, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    finish(start(posts, tmp_path, key_dir, threads=2))
    same(files(tmp_path), undisturbed)
    # A finished replay starts anew in the same folder.
    finish(start(posts, tmp_path, key_dir))
    same(files(tmp_path), undisturbed)


@pytest.mark.parametrize("chunk", [7, 3001])
def test_portions_of_any_size_give_the_same_bytes(
    posts: Path, key_dir: Path, undisturbed: dict[str, Any], tmp_path: Path, chunk: int
) -> None:
    finish(start(posts, tmp_path, key_dir, chunk=chunk))
    same(files(tmp_path), undisturbed)
