"""The embedded road against its peers on one stream, in one run: speed and quality as the stream goes on.

    python -m bench.race [FILE] [--posts N] [--minilm N] [--out FILE.json]

The road replays the file in two processes, from bytes to alerts in SQLite. Mini-batch TF-IDF first-story
detection (`bench/clustering/peers.py`) clusters the same posts and does nothing else; it is given the
threshold that is best on the first half. MiniLM, the small sentence-transformers model, embeds the first N
posts (default 2,000; 0: left out) in the environment of `make transformers`, and does nothing else
either. Speed is by the clock, stretch by stretch; F1 is B-cubed over the posts so far, labels as at the end:
of rumors, and of events, which are what the labels of the default file name (one label a happening).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

import config
from agents.replay import ReplayOptions, replay
from agents.told import Progress
from bench import machine, streams
from bench.clustering.peers import COSINES, TfIdf, first_story, heavy
from evaluation.metrics import bcubed, factorise

STEPS = 8
LABELLED = Path(__file__).resolve().parents[2] / "shared/data/labelled/scale_en.jsonl.gz"


def main() -> int:
    """Measure, print a table, write JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.race", description=__doc__)
    parser.add_argument("file", type=Path, nargs="?", default=LABELLED)
    parser.add_argument("--posts", type=int, default=10**9)
    parser.add_argument("--minilm", type=int, default=2_000)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    if not given.file.exists():
        print(f"{given.file} is missing, the race is left out: give a file of labelled posts")
        return 0
    posts = streams.read(given.file)[: given.posts]
    ends = [len(posts) * step // STEPS for step in range(1, STEPS + 1)]
    with tempfile.TemporaryDirectory(prefix="tindon-bench-") as folder:
        ours = _road(posts, ends, Path(folder))
    peer = _tfidf([post["text"] for post in posts], _stories(posts), ends)
    result = {
        "file": given.file.name,
        "posts": len(posts),
        "curves": {"Tindon": ours, "TF-IDF first story": peer},
        "minilm_posts_per_s": _minilm([post["text"] for post in posts[: given.minilm]]),
        **machine.told(),
    }
    print(table(result))
    if given.out:
        given.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


def _stories(posts: list[dict[str, Any]]) -> np.ndarray:
    """Gold stories, int64 (n,); -1 for a post of none."""
    codes: dict[str, int] = {}
    names = [post.get("cluster") for post in posts]
    return np.array([-1 if n is None else codes.setdefault(n, len(codes)) for n in names])


def _road(posts: list[dict[str, Any]], ends: list[int], folder: Path) -> list[dict[str, Any]]:
    settings = config.load(env={"TINDON_STATE_DIR": str(folder / "state")}).settings
    path = folder / "stream.jsonl"
    with open(path, "w", encoding="utf-8") as lines:
        for post in posts:
            lines.write(json.dumps(post, ensure_ascii=False) + "\n")
    passed: list[tuple[int, float]] = [(0, time.monotonic())]
    options = ReplayOptions(processes=2, on_progress=lambda now, _: _pass(passed, now))
    replay([str(path)], folder / "out", settings, options)
    found: dict[str, dict[str, str]] = {"rumor_id": {}, "event_id": {}}
    with open(folder / "out" / "assignments.jsonl", "rb") as lines:
        for line in map(json.loads, lines):
            for level, label in found.items():
                if line[level]:
                    label[line["post_id"]] = line[level]
    rumors, events = (
        factorise([label.get(post["id"], f"alone {n}") for n, post in enumerate(posts)])
        for label in found.values()
    )
    return _curve(passed, _stories(posts), {"rumor_f1": rumors, "event_f1": events}, ends)


def _pass(passed: list[tuple[int, float]], now: Progress) -> None:
    passed.append((now.posts_in, time.monotonic()))


def _tfidf(texts: list[str], stories: np.ndarray, ends: list[int]) -> list[dict[str, Any]]:
    import sklearn.feature_extraction.text  # noqa: F401 - loaded before the clock runs

    passed = [(0, time.monotonic())]
    search = TfIdf(texts)
    for done in search.batches():
        passed.append((done, time.monotonic()))
    half = np.arange(len(texts)) < len(texts) // 2
    _, labels = max(
        (
            (bcubed(stories[half], labels[half])[2], labels)
            for labels in (first_story(search.nearest, search.similarity, t) for t in COSINES)
        ),
        key=lambda found: found[0],
    )
    return _curve(passed, stories, {"f1": labels}, ends)


def _curve(
    passed: list[tuple[int, float]],
    stories: np.ndarray,
    labels: dict[str, np.ndarray],
    ends: list[int],
) -> list[dict[str, Any]]:
    """At each end: posts/s since the one before, posts/s since the start, F1 of each labelling so far."""
    done, clock = (np.array(column, float) for column in zip(*passed, strict=True))
    times = np.interp([0, *ends], done, clock)
    return [
        {
            "posts": end,
            "posts_per_s": round((end - start) / max(after - before, 1e-9), 1),
            "posts_per_s_so_far": round(end / max(after - times[0], 1e-9), 1),
            **{
                name: round(bcubed(stories[:end], given[:end])[2], 4)
                for name, given in labels.items()
            },
        }
        for start, end, before, after in zip([0, *ends], ends, times, times[1:], strict=False)
    ]


def _minilm(texts: list[str]) -> float | None:
    """Posts per second of MiniLM's encoding alone, its start left out; None where it is not there."""
    if not texts or (python := heavy()) is None:
        return None
    script = Path(__file__).parent / "clustering" / "minilm_encode.py"
    with tempfile.TemporaryDirectory(prefix="tindon-bench-") as folder:
        took = []
        for part in (texts[:10], texts):
            listed = Path(folder) / "texts.txt"
            listed.write_text("\n".join(" ".join(t.split()) for t in part), encoding="utf-8")
            started = time.monotonic()
            subprocess.run([python, script, listed, Path(folder) / "rows.npy"], check=True)
            took.append(time.monotonic() - started)
    return round((len(texts) - 10) / (took[1] - took[0]), 1)


def table(result: dict[str, Any]) -> str:
    """The result for a person."""
    ours, peer = result["curves"].values()
    lines = [
        f"{result['file']}, {result['posts']:,} posts",
        "",
        "| posts | Tindon: posts/s | so far | F1 of rumors | F1 of events | TF-IDF: posts/s | so far | F1 |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for a, b in zip(ours, peer, strict=True):
        figures = " | ".join(
            f"{c['posts_per_s']:,.0f} | {c['posts_per_s_so_far']:,.0f} | "
            + " | ".join(f"{value:.3f}" for name, value in c.items() if name.endswith("f1"))
            for c in (a, b)
        )
        lines.append(f"| {a['posts']:,} | {figures} |")
    minilm = result["minilm_posts_per_s"]
    ratio = ours[-1]["posts_per_s_so_far"] / minilm if minilm else 0.0
    lines += [
        "",
        f"MiniLM encodes {minilm:,.0f} posts/s: the road is {ratio:.0f} times as fast"
        if minilm
        else "MiniLM: not run (`make transformers`)",
        f"{result['machine']}, load {result['load']}, {result['date']}, {result['commit']}",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
