"""What the folds cost for each post with many active micro-clusters and no copies among the posts.

    python -m bench.clustering.cost [--active 5000] [--posts 4000]

Invented posts of invented words: stories of some five posts that share ten of fourteen words, so that posts
join, open and merge. The folds are first filled to `--active` micro-clusters; then processor time is
taken over `--posts` more, each cut of 64. Weigh, assign and emit is the cluster fold; merge is
`Micros.add` and `Tree.grow` of the alert fold. Embedding, counting, scoring and documents are no part of it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from alerts import AlertFold
from alerts.micros import Micros
from alerts.tree import Tree
from bench.clustering.ours import defaults, stream
from clusters import ClusterFold
from streams.records import Change

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
WORDS, LENGTH = 60_000, 14  # of the vocabulary; of a post, a rumor's usual
STORY = 5  # posts of a story, at the mean
SHARED = 10  # of LENGTH words are the story's
SYLLABLES = (
    "ba", "co", "du", "em", "gi", "ho", "ka", "le", "mu", "no", "pi", "ra", "so", "ta", "vu", "xe",
)  # fmt: skip


def posts(number: int, seed: int = 1) -> Iterator[dict[str, Any]]:
    """Posts in order of time, no two alike."""
    draw = random.Random(f"cost {seed}")
    ranks = np.random.default_rng(seed).zipf(1.2, size=number * LENGTH * 2) % WORDS
    words = iter(ranks.tolist())
    open_stories: list[list[str]] = []
    for at in range(number):
        if len(open_stories) < 200 or draw.random() < 1 / STORY:
            open_stories.append([_word(next(words)) for _ in range(LENGTH)])
        story = draw.choice(open_stories[-200:])
        own = [_word(draw.randrange(WORDS)) for _ in range(LENGTH - SHARED)]
        yield {
            "id": str(at),
            "text": " ".join(draw.sample(story, SHARED) + own),
            "created_at": (BEGIN + timedelta(seconds=at)).isoformat(),
            "cluster": None,
        }


def _word(rank: int) -> str:
    parts = []
    for _ in range(4):
        rank, at = divmod(rank, len(SYLLABLES))
        parts.append(SYLLABLES[at])
    return "".join(parts)


class Clock:
    """Processor seconds spent in methods of a class."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def around(self, owner: type, name: str) -> None:
        inner = getattr(owner, name)

        def timed(*given: Any, **named: Any) -> Any:
            start = time.process_time()
            try:
                return inner(*given, **named)
            finally:
                self.seconds += time.process_time() - start

        setattr(owner, name, timed)


def main() -> None:
    """Fill, measure, print one line."""
    parser = argparse.ArgumentParser(prog="python -m bench.clustering.cost", description=__doc__)
    parser.add_argument("--active", type=int, default=5_000)
    parser.add_argument("--posts", type=int, default=4_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cost.jsonl"
        most = given.active * 4 + given.posts
        path.write_text("".join(json.dumps(p) + "\n" for p in posts(most)), encoding="utf-8")
        frames = stream(path).frames
    merging = Clock()
    merging.around(Micros, "add")
    merging.around(Tree, "grow")
    parameters, alert = defaults()
    dim = frames[0].posts.dense.shape[1]
    fold = ClusterFold(parameters, encoder=frames[0].encoder, dim=dim)
    alerts = AlertFold(alert, encoder=frames[0].encoder, dim=dim)
    assign = merge = 0.0
    folded, first = 0, 0
    for frame in frames:
        standing = fold.active
        filled = standing >= given.active
        start, before = time.process_time(), merging.seconds
        made: list[Change] = fold.fold(frame)
        took = time.process_time() - start
        for change in made:
            alerts.apply(change)
        if filled:
            first = first or standing
            assign, merge = assign + took, merge + merging.seconds - before
            folded += len(frame.posts)
        if folded >= given.posts:
            break
    if not folded:
        raise SystemExit(f"{most:,} posts first only {fold.active:,} micro-clusters")
    each = 1e6 / folded
    print(
        f"{folded:,} posts at {first:,} to {fold.active:,} active micro-clusters: weigh, assign and emit "
        f"{assign * each:.0f} us, merge {merge * each:.0f} us, in all {(assign + merge) * each:.0f} us a post"
    )


if __name__ == "__main__":
    main()
