"""A constructed stream in two languages: each sentence of a parallel test set, and its translation.

Constructed, so it shows whether translations meet and nothing about how rumors spread: sentences are
formal, every story has exactly two posts, one in each language, and the second comes up to a day after
the first.
"""

from __future__ import annotations

import csv
import gzip
import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

SETS = ("ntrex", "sib200_flores")
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
BETWEEN_S = 120  # seconds between two sentences
LATER_S = 86_400  # the translation comes at most this much later


def write(shared: Path, name: str, folder: Path, seed: int = 1) -> Path:
    """`folder`/parallel_NAME.jsonl, two posts for each English-Vietnamese pair of a set."""
    draw = random.Random(f"{name} {seed}")
    with gzip.open(shared / f"data/parallel_test/test_{name}.tsv.gz", "rt", encoding="utf-8") as f:
        rows = csv.reader(f, delimiter="\t", quoting=csv.QUOTE_NONE)
        pairs = sorted({(r[2], r[3]) for r in rows if (r[0], r[1]) == ("en", "vi")})
    draw.shuffle(pairs)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"parallel_{name}.jsonl"
    with open(path, "w", encoding="utf-8") as out:
        for number, pair in enumerate(pairs):
            first = draw.randrange(2)
            at = number * BETWEEN_S
            for side in (first, 1 - first):
                post = {
                    "id": f"{number}-{('en', 'vi')[side]}",
                    "text": pair[side],
                    "created_at": (BEGIN + timedelta(seconds=at)).isoformat(),
                    "lang": ("en", "vi")[side],
                    "cluster": f"sentence {number}",
                }
                out.write(json.dumps(post, ensure_ascii=False) + "\n")
                at += draw.randrange(LATER_S)
    return path
