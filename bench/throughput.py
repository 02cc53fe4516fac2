"""The embedded road over stream length: what a post costs as the stream goes on.

    python -m bench.throughput [FILE] [--posts N] [--active N] [--unique] [--processes 1|2] [--out FILE.json]

Repeats the posts of a file of JSON lines, or of the invented day of `tindon demo`, at a steady pace,
until N have gone through (default 100,000). In each repetition a seeded tenth of the words is replaced by
words that none before it used, and so many posts say what nobody else says that about `--active`
micro-clusters are held once a window has passed (`bench/streams.py`). With `--active 0` the file is
replayed once, as it is. Prints a line for each stretch, as it goes and again in the table: posts/s by the
clock, processor time of all processes, what is active, memory; the time that checkpoints took; and how
long a restart takes: state read, folds restored, one new post let in, folded and durable.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import config
from agents.embedded import EmbeddedRoad
from agents.front import Entry
from agents.replay import ReplayOptions, replay
from agents.stages import Stages
from agents.told import Progress
from bench import machine, streams
from streams.sqlite_database import Database
from streams.validation import InputRecord

STRETCHES = 10
DAY_MS = 86_400_000


class Stretch(NamedTuple):
    """A part of the stream."""

    posts: int  # at its end
    posts_per_s: float  # by the clock on the wall
    us_per_post: float  # processor time of all processes
    micro_clusters: int  # active at its end
    open_rumors: int
    rss_mb: int  # of all processes at its end


class Marks:
    """Notes a stretch whenever so many posts have gone through; what is left at the end is not one."""

    def __init__(self, posts: int) -> None:
        self._size = max(posts // STRETCHES, 1)
        self._since: tuple[int, float, float] | None = None  # posts, clock, processor
        self.stretches: list[Stretch] = []

    def note(self, progress: Progress, _: int | None) -> None:
        now = (progress.posts_in, time.monotonic(), machine.processor_s())
        if self._since is None:  # the first portion waits for the start of the front
            self._since = now
            return
        posts, clock, used = (b - a for a, b in zip(self._since, now, strict=True))
        if posts >= self._size:
            self.stretches.append(
                Stretch(
                    progress.posts_in,
                    round(posts / clock, 1),
                    round(used / posts * 1e6, 1),
                    progress.micro_clusters,
                    progress.open_rumors,
                    machine.resident_mb(),
                )
            )
            self._since = now
            print(_row(self.stretches[-1]), file=sys.stderr, flush=True)


def main() -> int:
    """Measure, print a table, write JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.throughput", description=__doc__)
    parser.add_argument("file", type=Path, nargs="?")
    parser.add_argument("--posts", type=int, default=100_000)
    parser.add_argument("--active", type=int, default=5_000)
    parser.add_argument("--unique", action="store_true", help="without exact repeats of a text")
    parser.add_argument("--processes", type=int, choices=(1, 2), default=2)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tindon-bench-") as folder:
        result = measure(given, Path(folder))
    print(table(result))
    if given.out:
        given.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


def measure(given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Replay and restart; the figures."""
    settings = config.load(env={"TINDON_STATE_DIR": str(folder / "state")}).settings
    stream = folder / "stream.jsonl"
    window_ms = int(settings.cluster.window_days * DAY_MS)
    # In a process of its own: the posts of a large file would count as memory of the road.
    writing = get_context("spawn").Process(
        target=streams.write,
        args=(stream, given.file, given.unique, given.posts, window_ms, given.active),
    )
    writing.start()
    writing.join()
    if writing.exitcode:
        raise SystemExit(writing.exitcode)
    with open(stream, "rb") as lines:
        size = sum(1 for _ in lines)
    marks, roads = Marks(size), list[EmbeddedRoad]()
    options = ReplayOptions(
        as_is=True,
        processes=given.processes,
        on_progress=marks.note,
        on_road=roads.append,
    )
    summary = replay([str(stream)], folder / "out", settings, options)
    return {
        "file": given.file.name if given.file else "invented day",
        "unique": given.unique,
        "held": given.active,
        "processes": given.processes,
        "posts": summary["posts_in"],
        "posts_per_s": summary["posts_per_s"],  # until all is in the store, start included
        "stretches": [stretch._asdict() for stretch in marks.stretches],
        "checkpoint_share": round(roads[0].checkpoints_s / summary["wall_s"], 4),
        "restart_s": round(_restart(folder / "out", settings), 2),
        "peak_rss_mb": summary["peak_rss_bytes"] // 1_000_000,
        **machine.told(),
    }


def _restart(out: Path, settings: config.Settings) -> float:
    """Seconds until one more post is folded and durable after a fresh start."""
    started = time.monotonic()
    built = Stages(settings)
    with Database(out / "tindon.sqlite") as database:
        road = EmbeddedRoad(database, built.alert)
        front = built.front
        assert road.cluster is not None
        front.restore(road.cluster, road.next)
        post = {
            "id": "new",
            "text": "nước sông đang lên nhanh",
            "created_at": road.progress.watermark,
        }
        record = InputRecord(source="bench", input="bench:1", raw=json.dumps(post).encode())
        before = road.progress.posts_in
        road.take(front.take([Entry(record, None), Entry(None, 2**40)], snapshot=False))
        assert road.progress.posts_in == before + 1
    return time.monotonic() - started


def _row(s: Stretch) -> str:
    return (
        f"| {s.posts:,} | {s.posts_per_s:,.0f} | {s.us_per_post:.0f} "
        f"| {s.micro_clusters:,} | {s.open_rumors:,} | {s.rss_mb} |"
    )


def table(result: dict[str, Any]) -> str:
    """The result for a person."""
    what = f"{result['file']}{', exact repeats removed' if result['unique'] else ''}"
    lines = [
        f"{what}, {result['posts']:,} posts, {result['processes']} process(es)",
        "",
        "| posts | posts/s | µs per post | active micro-clusters | open rumors | MB |",
        "|---:|---:|---:|---:|---:|---:|",
        *(_row(Stretch(**stretch)) for stretch in result["stretches"]),
        "",
        f"{result['posts_per_s']:,.0f} posts/s until all is stored, start included; checkpoints "
        f"{result['checkpoint_share']:.1%} of the time; restart to the first new post "
        f"{result['restart_s']} s; at most {result['peak_rss_mb']} MB, all processes",
        f"{result['machine']}, load {result['load']}, {result['date']}, {result['commit']}",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
