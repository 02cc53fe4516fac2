"""What is one: agglomeration of micro-clusters where something changed, nearest first."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Compare = Callable[[np.ndarray, np.ndarray], np.ndarray]


def join(
    due: np.ndarray,
    similarity: np.ndarray,
    compare: Compare,
    threshold: float,
    of: np.ndarray,
    merge: Callable[[int, int, float], None],
    barred: Callable[[int, int], bool] = lambda own, other: False,
) -> None:
    """Compare micro-clusters that are due with all others; merge groups that belong together.

    `similarity` holds a row of similarities for each one due, `of` each row's group (-1: none; changed
    here as groups merge); `compare` gives the similarities of any rows with any others. Two groups
    merge when the pair at hand reaches `threshold` (a cosine) and so does the mean over all pairs:
    average-link agglomeration (Sokal and Michener 1958). Pairs are tried from the most similar down,
    ties to the oldest. Groups that are `barred` never merge.
    """
    for row, near in zip(due.tolist(), similarity, strict=True):
        rivals = (near >= threshold).nonzero()[0]
        rivals = rivals[(of[rivals] != of[row]) & (of[rivals] >= 0)]
        if not len(rivals):
            continue
        refused: set[int] = set()
        for at in rivals[np.lexsort((rivals, -near[rivals]))]:
            own, other = int(of[row]), int(of[at])
            if own == other or other in refused or barred(own, other):
                continue
            pairs = compare(np.flatnonzero(of == own), np.flatnonzero(of == other))
            if float(pairs.mean()) >= threshold:
                merge(own, other, float(near[at]))
                of[of == max(own, other)] = min(own, other)
                refused.clear()
            else:
                refused.add(other)
