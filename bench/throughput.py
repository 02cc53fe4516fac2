"""The embedded road over stream length: what a post costs as the stream goes on.

    python -m bench.throughput [FILE] [--posts N] [--processes 1|2] [--out FILE.json]

Replays the posts of a file of JSON lines, or the invented day of `tindon demo`, in order of time,
again and again until N have gone through (default 100,000). Each repetition comes later by the file's
span and the window, so that it opens micro-clusters of its own; in every one a seeded tenth of the
words is replaced by words that no repetition before it used. Prints a line for each stretch: posts/s
by the clock on the wall, what is active, memory; then how long a restart takes at the end: state
read, folds restored, until the first new post could be let in.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import config
from agents.embedded import EmbeddedRoad, Progress
from agents.memory import peak_rss_bytes
from agents.replay import ReplayOptions, replay
from agents.stages import stages
from streams.codec import unpack_state
from streams.sources import scenario
from streams.sqlite_database import Database
from streams.timestamps import parse_time

STRETCHES = 10
NEW_WORDS = 10  # one word of so many is replaced in a repetition
DAY_MS = 86_400_000


class Stretch(NamedTuple):
    """A tenth of the stream."""

    posts: int  # at its end
    posts_per_s: float  # by the clock on the wall
    open_rumors: int
    rss_mb: int  # peak so far, of the process that raises alerts


def main() -> int:
    """Measure, print a table, write JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.throughput", description=__doc__)
    parser.add_argument("file", type=Path, nargs="?")
    parser.add_argument("--posts", type=int, default=100_000)
    parser.add_argument("--processes", type=int, choices=(1, 2), default=2)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tindon-bench-") as folder:
        result = measure(arguments.file, arguments.posts, arguments.processes, Path(folder))
    print(table(result))
    if arguments.out:
        arguments.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


def measure(file: Path | None, posts: int, processes: int, folder: Path) -> dict[str, Any]:
    """Replay and restart; the figures."""
    settings = config.load(env={"TINDON_STATE_DIR": str(folder / "state")}).settings
    stream = folder / "stream.jsonl"
    with open(stream, "w", encoding="utf-8") as lines:
        window_ms = int(settings.cluster.window_days * DAY_MS)
        for post in repeated(read(file), posts, window_ms):
            lines.write(json.dumps(post, ensure_ascii=False) + "\n")
    stretches: list[Stretch] = []
    since = [0.0, 0]  # when, posts then

    def note(progress: Progress, _: int | None) -> None:
        now, before = time.monotonic(), since[1]
        if not since[0]:
            since[:] = now, progress.posts_in
        elif progress.posts_in - before >= posts / STRETCHES or before < posts <= progress.posts_in:
            rate = (progress.posts_in - before) / (now - since[0])
            rss = peak_rss_bytes() >> 20
            stretches.append(Stretch(progress.posts_in, rate, progress.open_rumors, rss))
            since[:] = now, progress.posts_in

    options = ReplayOptions(as_is=True, processes=processes, on_progress=note)
    summary = replay([str(stream)], folder / "out", settings, options)
    began = time.monotonic()
    built = stages(settings, replay=True)
    with Database(folder / "out" / "tindon.sqlite") as database:
        road = EmbeddedRoad(database, built.alert)
        assert road.cluster is not None
        built.cluster.restore(unpack_state(road.cluster))
    return {
        "file": file.name if file else "invented day",
        "processes": processes,
        "posts": summary["posts_in"],
        "posts_per_s": summary["posts_per_s"],  # result files included
        "stretches": [stretch._asdict() for stretch in stretches],
        "active_micro_clusters": built.cluster.active,
        "restart_s": round(time.monotonic() - began, 2),
        "peak_rss_mb": summary["peak_rss_bytes"] >> 20,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
    }


def read(file: Path | None) -> list[dict[str, Any]]:
    """The posts in order of time, which is in ms."""
    if file is None:
        posts = list(scenario.generate(seed=1))
    else:
        opened = gzip.open(file, "rt", encoding="utf-8") if file.suffix == ".gz" else open(file)  # noqa: SIM115
        with opened:
            posts = [json.loads(line) for line in opened]
    posts = [post | {"created_at": parse_time(post["created_at"])} for post in posts]
    return sorted(posts, key=lambda post: (post["created_at"], post["id"]))


def repeated(posts: list[dict[str, Any]], size: int, gap_ms: int) -> Iterator[dict[str, Any]]:
    """`size` posts: the given ones again and again, each time later and with words of its own."""
    span = posts[-1]["created_at"] - posts[0]["created_at"] + gap_ms
    # Ends in the past however often it is repeated: created_at has a latest year.
    start = parse_time("1975-01-01T00:00:00Z") - posts[0]["created_at"]
    for number in range(size):
        round_, at = divmod(number, len(posts))
        post = posts[at]
        yield {
            "id": f"{round_}-{post['id']}",
            "text": " ".join(_word(word, round_) for word in post["text"].split(" ")),
            "created_at": post["created_at"] + start + round_ * span,
            "author": post.get("author"),
            "lang": post.get("lang"),
        }


def _word(word: str, round_: int) -> str:
    """The same word in the first round; in others now and then one that was never seen before."""
    if not round_ or len(word) < 4 or word.startswith(("http", "@", "#")):
        return word
    digest = hashlib.blake2b(f"{round_} {word}".encode(), digest_size=6).hexdigest()
    return word if int(digest, 16) % NEW_WORDS else f"w{digest}"


def table(result: dict[str, Any]) -> str:
    """The result for a person."""
    lines = [
        f"{result['file']}, {result['posts']} posts, {result['processes']} process(es)",
        "",
        "| posts | posts/s | open rumors | MiB |",
        "|---:|---:|---:|---:|",
        *(
            f"| {s['posts']:,} | {s['posts_per_s']:,.0f} | {s['open_rumors']:,} | {s['rss_mb']} |"
            for s in result["stretches"]
        ),
        "",
        f"{result['posts_per_s']:,.0f} posts/s in all, result files included; restart with "
        f"{result['active_micro_clusters']:,} active micro-clusters {result['restart_s']} s; "
        f"{result['peak_rss_mb']} MiB, all processes",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
