"""The embedded road's speed: posts per second, and microseconds per post by stage.

    python -m bench.replay [FILE...] [--seed N] [--out FILE.json]

Replays the files, or without one the invented day of `tindon demo`, as `tindon replay` does, into a
folder that is removed afterwards. Stages are told apart by processor time with one BLAS thread, so
that a busy machine counts less; posts/s stands beside it by processor time and by the clock on the
wall. What the telling apart itself costs, some 2 µs per post, is in the figures.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import config
from agents import checkpoint, embedded, feeding, front, replay
from alerts import AlertFold, fold
from alerts.micros import Micros
from alerts.tree import Tree
from alerts.writing import Writing
from bench import machine
from clusters import ClusterFold
from clusters.weights import Weights
from embeddings import reading
from embeddings.door import Door
from embeddings.static import StaticEncoder
from streams.sources import scenario

DECODE = "decode: read, sort, check"
NORMALISE = "normalise: masks, flags, language, categories"
TOKENISE = "tokenise: words, features, the encoder's tokens"
EMBED = "embed"
SKETCH = "sketch: weights, vectors on the grid"
ASSIGN = "assign: micro-clusters, what a change carries"
MERGE = "merge: micro-clusters' sums, rumors, events"
COUNT = "count: rumors' sums, posts' documents"
SIGNALS = "signals: score, levels, rumors' documents"
STORE, CHECKPOINT, FILES = "store and log", "checkpoints", "result files"
START = "start (model, settings)"
STAGES = (
    DECODE, NORMALISE, TOKENISE, EMBED, SKETCH, ASSIGN, MERGE, COUNT, SIGNALS, STORE, CHECKPOINT,
    FILES,
)  # fmt: skip


class Clock:
    """Processor seconds by stage; time inside an inner stage counts for that one alone."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys((*STAGES, START), 0.0)
        self._stage = START
        self._since = time.process_time()

    def turn(self, stage: str) -> str:
        """From here on time counts for `stage`; returns the stage before."""
        now = time.process_time()
        self.seconds[self._stage] += now - self._since
        before, self._stage, self._since = self._stage, stage, now
        return before

    def time(self, owner: Any, name: str, stage: str) -> None:
        """From here on count the time in a function or method for `stage`."""
        inner: Callable[..., Any] = getattr(owner, name)

        def outer(*args: Any, **kwargs: Any) -> Any:
            before = self.turn(stage)
            try:
                return inner(*args, **kwargs)
            finally:
                self.turn(before)

        setattr(owner, name, outer)

    def each(self, items: Iterable[Any], stage: str) -> Iterator[Any]:
        """The items; the time until each counts for `stage`."""
        iterator = iter(items)
        while True:
            before = self.turn(stage)
            try:
                item = next(iterator)
            except StopIteration:
                return
            finally:
                self.turn(before)
            yield item


def main() -> int:
    """Measure, print a table, write JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.replay", description=__doc__)
    parser.add_argument("files", nargs="*")
    parser.add_argument("--seed", type=int, default=1, help="of the invented day")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tindon-bench-") as folder:
        files = arguments.files or [_scenario(Path(folder), arguments.seed)]
        result = measure(files, Path(folder))
    print(table(result))
    if arguments.out:
        arguments.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


def _scenario(folder: Path, seed: int) -> str:
    path = folder / "scenario.jsonl"
    with open(path, "w", encoding="utf-8") as file:
        for post in scenario.generate(seed=seed):
            file.write(json.dumps(post, ensure_ascii=False) + "\n")
    return str(path)


def measure(files: list[str], folder: Path) -> dict[str, Any]:
    """Replay files; posts, rates and stages. Leaves the program's functions timed."""
    settings = config.load(env={"TINDON_STATE_DIR": str(folder / "state")}).settings
    wall, clock = time.monotonic(), Clock()
    _tell_apart(clock)
    summary = replay.replay(files, folder / "out", settings, replay.ReplayOptions(processes=1))
    clock.turn(START)
    wall_s = time.monotonic() - wall
    two = _in_two_processes(files, folder / "two", settings)
    posts = summary["posts_in"]
    processor_s = sum(clock.seconds.values())
    return {
        "files": [Path(file).name for file in files],
        "posts": posts,
        "folded": summary["folded"],
        "rumors": summary["rumors"],
        "alerts": summary["alerts"],
        "start_s": round(clock.seconds[START], 2),
        "us_per_post": {name: round(clock.seconds[name] / posts * 1e6, 1) for name in STAGES},
        "posts_per_processor_s": round(posts / processor_s),
        "posts_per_s": round(posts / wall_s),
        "two_processes": two,
        "peak_rss_mb": round(summary["peak_rss_bytes"] / 1e6),
        "encoder": summary["encoder"],
        "checkpoint_share": round(clock.seconds[CHECKPOINT] / processor_s, 4),
        **machine.told(),
    }


def _tell_apart(clock: Clock) -> None:
    """Time the program's functions by stage; what is inside of one and not named counts for it."""
    with_ticks = feeding.with_ticks
    setattr(feeding, "with_ticks", lambda *args: clock.each(with_ticks(*args), DECODE))  # noqa: B010
    for stage, owner, names in (
        (DECODE, feeding, ("read_files",)),
        (NORMALISE, Door, ("admit",)),
        (TOKENISE, reading, ("features",)),
        (TOKENISE, StaticEncoder, ("token_ids",)),
        (EMBED, StaticEncoder, ("encode",)),
        (NORMALISE, front, ("frame_of",)),
        (ASSIGN, ClusterFold, ("fold",)),
        (SKETCH, Weights, ("vectors",)),
        (SKETCH, Micros, ("_foresee",)),
        (MERGE, Micros, ("add",)),
        (MERGE, Tree, ("grow",)),
        (COUNT, AlertFold, ("apply",)),
        (SIGNALS, fold, ("raise_alerts", "measure")),
        (SIGNALS, Writing, ("take", "settle", "document")),
        (STORE, front.Front, ("take",)),
        (STORE, embedded.EmbeddedRoad, ("take", "finish")),
        (CHECKPOINT, ClusterFold, ("snapshot",)),
        (CHECKPOINT, AlertFold, ("snapshot",)),
        (CHECKPOINT, front, ("pack_state",)),
        (CHECKPOINT, checkpoint, ("put", "put_cluster")),
        (FILES, replay, ("write_files",)),
    ):
        for name in names:
            clock.time(owner, name, stage)


def _in_two_processes(files: list[str], folder: Path, settings: config.Settings) -> dict[str, Any]:
    """The same in two processes: posts/s, and processor µs per post of each, their start included."""
    wall, own, others = time.monotonic(), time.process_time(), _children_s()
    summary = replay.replay(files, folder, settings, replay.ReplayOptions(processes=2))
    posts = summary["posts_in"]
    return {
        "posts_per_s": round(posts / (time.monotonic() - wall)),
        "us_per_post_alerts_and_store": round((time.process_time() - own) / posts * 1e6, 1),
        "us_per_post_door_and_clusters": round((_children_s() - others) / posts * 1e6, 1),
        "peak_rss_mb": round(summary["peak_rss_bytes"] / 1e6),
    }


def _children_s() -> float:
    """Processor seconds of the child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def table(result: dict[str, Any]) -> str:
    """The result for a person."""
    stages, two = result["us_per_post"], result["two_processes"]
    lines = [
        f"{', '.join(result['files'])}: {result['posts']} posts, {result['rumors']} rumors",
        "",
        "| stage | µs per post |",
        "|---|---:|",
        *(f"| {name} | {spent:.0f} |" for name, spent in stages.items()),
        f"| **together** | {sum(stages.values()):.0f} |",
        "",
        f"{result['posts_per_processor_s']} posts per processor second, start of "
        f"{result['start_s']} s included; {result['posts_per_s']} by the clock on the wall; "
        f"{result['peak_rss_mb']} MB",
        f"in two processes: {two['posts_per_s']} posts/s by the clock; processor time "
        f"{two['us_per_post_alerts_and_store']:.0f} µs per post for alerts and store, "
        f"{two['us_per_post_door_and_clusters']:.0f} for door and clusters; "
        f"{two['peak_rss_mb']} MB",
        f"checkpoints {result['checkpoint_share']:.1%} of the time; "
        f"{result['machine']}, load {result['load']}, {result['date']}, {result['commit']}",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
