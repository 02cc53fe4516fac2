"""What may be said of the defaults beyond the posts that they were chosen on.

`halves` chooses the thresholds on the first half of a file and tells what they give on the second.
`interval` tells how far a figure of a small file may be off: stories are drawn anew, with replacement.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np

from bench.clustering.ours import changes, defaults, grouped, stream
from evaluation.metrics import bcubed, bcubed_per_post

MICRO = (0.20, 0.25, 0.30, 0.35, 0.40)
MACRO = (0.18, 0.20, 0.22, 0.24, 0.26)
DRAWS = 2_000


def halves(path: Path) -> str:
    """B-cubed F1 of rumors over both halves of a file, for each pair of thresholds; Markdown.

    The fold sees the whole file; a half's figure counts the posts of that half alone.
    """
    data = stream(path)
    first = np.arange(len(data)) < len(data) // 2
    cluster, alert = defaults()
    rows = ["| micro | macro | first half | second half |", "|--:|--:|--:|--:|"]
    best = (0.0, 0.0, 0.0, 0.0)
    for micro in MICRO:
        log, _ = changes(data.frames, msgspec.structs.replace(cluster, micro_threshold=micro))
        for macro in MACRO:
            rumor = grouped(log, msgspec.structs.replace(alert, macro_threshold=macro)).rumor
            own, other = (bcubed(data.story[half], rumor[half])[2] for half in (first, ~first))
            rows.append(f"| {micro:.2f} | {macro:.2f} | {own:.3f} | {other:.3f} |")
            print(rows[-1], flush=True)
            best = max(best, (own, micro, macro, other))
    own, micro, macro, other = best
    rows.append(
        f"\nBest on the first half: {micro:.2f}, {macro:.2f} ({own:.3f}); second half {other:.3f}."
    )
    return "\n".join(rows)


def interval(story: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """95 % of B-cubed F1 when stories are drawn with replacement (percentile bootstrap, Efron 1979).

    int64 (n,) each; story -1: none. Chance is fixed.
    """
    named = story >= 0
    precision, recall = bcubed_per_post(story, labels, named)
    _, of = np.unique(story[named], return_inverse=True)
    sums = np.column_stack(
        [np.bincount(of), np.bincount(of, precision[named]), np.bincount(of, recall[named])]
    )
    draws = np.random.default_rng(0).integers(len(sums), size=(DRAWS, len(sums)))
    posts, p, r = sums[draws].sum(axis=1).T
    low, high = np.percentile(2 * p * r / ((p + r) * posts), [2.5, 97.5])
    return float(low), float(high)
