"""One cell of the table: one clustering on one file, in a process of its own, kept as JSON.

A process of its own, so that peak memory is the cell's. A cell that is kept is not run again, so an
interrupted table goes on where it was.
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench.clustering.held_out import interval
from bench.clustering.ours import OUT, Grouping, Stream, changes, defaults, grouped, stream
from bench.clustering.peers import PEERS, NotRun, Peer
from evaluation.metrics import ami, ari, bcubed, v_measure

OURS = "Tindon"
STEPS = 8
"""Points of a curve over stream length."""


def cell(path: Path, name: str, version: str) -> dict[str, Any]:
    """The figures of clustering `name` on a file: kept ones, or run now in a new process."""
    kept = OUT / "cells" / version / f"{path.name.split('.')[0]}-{name.replace(' ', '-')}.json"
    if kept.exists():
        figures: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
        return figures
    kept.parent.mkdir(parents=True, exist_ok=True)
    process = multiprocessing.get_context("spawn").Process(target=_run, args=(path, name, kept))
    process.start()
    process.join()
    if not kept.exists():
        reason = kept.with_suffix(".reason")
        why = reason.read_text(encoding="utf-8") if reason.exists() else ""
        reason.unlink(missing_ok=True)
        return {"file": path.name, "name": name, "not_run": why or f"exit {process.exitcode}"}
    return dict(json.loads(kept.read_text(encoding="utf-8")))


def _run(path: Path, name: str, kept: Path) -> None:
    import sklearn.cluster
    import sklearn.decomposition
    import sklearn.feature_extraction.text  # noqa: F401 - loaded before a clock runs

    data = stream(path)
    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        figures = _ours(data) if name == OURS else _peer(data, _named(name))
    except NotRun as reason:
        kept.with_suffix(".reason").write_text(str(reason), encoding="utf-8")
        return
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    figures |= {"file": data.name, "name": name, "peak_mb": peak / 1024, "start_mb": base / 1024}
    draft = kept.with_suffix(".draft")
    draft.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    draft.rename(kept)


def _named(name: str) -> Peer:
    return next(p for p in PEERS if p.name == name)


def _ours(data: Stream) -> dict[str, Any]:
    cluster, alert = defaults()
    log, seconds = changes(data.frames, cluster)
    made: Grouping = grouped(log, alert, seconds)
    took = made.cluster_s + made.alert_s
    return {
        "posts": len(data),
        "posts_per_s": len(data) / took,
        "readings": {
            "rumor": scores(data, made.rumor),
            "event": scores(data, made.event),
            "rumor at arrival": scores(data, made.arrival),
            "micro-cluster": scores(data, made.micro),
        },
        "curve": {"rumor": curve(data, made.rumor), "event": curve(data, made.event)},
    }


def _peer(data: Stream, peer: Peer) -> dict[str, Any]:
    used = prefix(data, peer.most)
    start = time.process_time()
    labels_at: Callable[[float], np.ndarray] = peer.prepare(used)
    prepared = time.process_time() - start
    half = np.arange(len(used)) < len(used) // 2
    best: tuple[float, float, np.ndarray, float] | None = None
    for threshold in peer.thresholds:
        start = time.process_time()
        labels = labels_at(threshold)
        took = prepared + time.process_time() - start
        f1 = bcubed(used.story[half], labels[half])[2]
        if best is None or f1 > best[0]:
            best = (f1, threshold, labels, took)
    assert best is not None
    _, threshold, labels, took = best
    return {
        "posts": len(used),
        "posts_per_s": len(used) / max(took, 1e-9),
        "threshold": threshold,
        "readings": {"": scores(used, labels)},
        "curve": {"": curve(used, labels)},
    }


def prefix(data: Stream, most: int | None) -> Stream:
    """The first posts of a stream."""
    n = len(data) if most is None else min(most, len(data))
    return Stream(
        data.name, [], data.order[:n], data.text[:n], data.language[:n], data.story[:n],
        data.repeat[:n],
    )  # fmt: skip


def scores(data: Stream, labels: np.ndarray) -> dict[str, float]:
    """Quality with repeats kept, the interval of F1 over stories, and F1 without exact repeats and
    over the second half."""
    story = data.story
    precision, recall, f1 = bcubed(story, labels)
    low, high = interval(story, labels)
    kept, late = ~data.repeat, np.arange(len(data)) >= len(data) // 2
    return {
        "precision": precision,
        "recall": recall,
        "f1": f1,
        "f1_low": low,
        "f1_high": high,
        "ami": ami(story, labels),
        "ari": ari(story, labels),
        "v_measure": v_measure(story, labels),
        "f1_repeats_removed": bcubed(story[kept], labels[kept])[2],
        "f1_second_half": bcubed(story[late], labels[late])[2],
    }


def curve(data: Stream, labels: np.ndarray) -> list[tuple[int, float]]:
    """(posts, B-cubed F1 over the first so many posts), labels as at the end."""
    n = len(data)
    ends = sorted({max(1, n * step // STEPS) for step in range(1, STEPS + 1)})
    points = [(end, bcubed(data.story[:end], labels[:end])[2]) for end in ends]
    return [(end, f1) for end, f1 in points if np.isfinite(f1)]
