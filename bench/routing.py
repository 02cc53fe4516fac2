"""What several cluster partitions cost in quality, and how evenly they are loaded.

    python -m bench.routing [--shared DIR] [--files NAME ...] [--partitions N ...] [--out FILE.json]

The labelled streams run through N cluster folds, each post in the one of its cell (`streams.cells`), and
their changes through one alert fold, frame by frame: B-cubed F1 of rumors and of events at the end, its loss
against one partition, posts in the fullest partition against the mean, and processor seconds: of the
slowest cluster fold (they run side by side) and of the alert fold (it takes all changes).
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from bench.clustering.ours import Stream, defaults, grouped, stream
from clusters import ClusterFold
from evaluation.metrics import bcubed
from streams.cells import split
from streams.records import Change

REPOSITORY = Path(__file__).resolve().parents[1]
FILES = ("rumours_en",)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.routing", description=__doc__)
    parser.add_argument("--shared", type=Path, default=REPOSITORY.parent / "shared")
    parser.add_argument("--files", nargs="+", default=FILES)
    parser.add_argument("--partitions", nargs="+", type=int, default=(1, 2, 4, 8, 16))
    parser.add_argument("--out", type=Path, default=None)
    given = parser.parse_args()
    labelled = given.shared / "data/labelled"
    if not labelled.is_dir():
        parser.error(f"{labelled} is missing; give --shared DIR")
    rows: list[dict[str, Any]] = []
    print(
        "| file | partitions | rumor F1 | loss | event F1 | fullest / mean | cluster s | alert s |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for name in given.files:
        data = stream(labelled / f"{name}.jsonl.gz")
        alone = None
        for partitions in given.partitions:
            row = measure(data, partitions)
            alone = row["rumor_f1"] if alone is None else alone
            row["loss"] = alone - row["rumor_f1"]
            rows.append(row)
            print(
                f"| {name} | {partitions} | {row['rumor_f1']:.3f} | {row['loss']:.3f} "
                f"| {row['event_f1']:.3f} | {row['fullest']:.2f} | {row['cluster_s']:.1f} "
                f"| {row['alert_s']:.1f} |",
                flush=True,
            )
    if given.out:
        given.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0


def measure(data: Stream, partitions: int) -> dict[str, Any]:
    """One stream through so many cluster folds and the alert fold."""
    cluster, alert = defaults()
    first = data.frames[0]
    folds = [
        ClusterFold(
            cluster, encoder=first.encoder, dim=first.posts.dense.shape[1], partition=partition
        )
        for partition in range(partitions)
    ]
    spent = [0.0] * partitions
    posts = [0] * partitions
    log: list[Change] = []
    for frame in data.frames:
        for partition, part in enumerate(split(frame, partitions)):
            start = time.process_time()
            log += folds[partition].fold(part)
            spent[partition] += time.process_time() - start
            posts[partition] += len(part.posts)
    made = grouped(log, alert)
    row = {key: i for i, key in enumerate(data.order)}
    at = [
        row[key] for change in log for key in zip(change.rows.source, change.rows.id, strict=True)
    ]
    story = data.story[at]
    return {
        "file": data.name,
        "partitions": partitions,
        "rumor_f1": float(bcubed(story, made.rumor)[2]),
        "event_f1": float(bcubed(story, made.event)[2]),
        "fullest": max(posts) * partitions / sum(posts),
        "cluster_s": max(spent),
        "alert_s": made.alert_s,
    }


if __name__ == "__main__":
    raise SystemExit(main())
