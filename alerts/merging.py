"""What is one: agglomeration of micro-clusters where something changed, nearest first."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

Compare = Callable[[np.ndarray, np.ndarray], np.ndarray]


def join(
    due: np.ndarray,
    near: Sequence[tuple[np.ndarray, np.ndarray]],
    compare: Compare,
    threshold: float,
    of: np.ndarray,
    merge: Callable[[int, int, float], None],
    barred: Callable[[int, int], bool] = lambda own, other: False,
) -> None:
    """Compare micro-clusters that are due with what is near them; merge groups that belong together.

    `near` holds, for each one due, rows with their similarities: all that reach `threshold`. `of` is
    each row's group (-1: none; changed here as groups merge); `compare` gives the similarities of any
    rows with any others. Two groups merge when the pair at hand reaches `threshold` (a cosine) and so
    does the mean over all pairs: average-link agglomeration (Sokal and Michener 1958). Pairs are tried
    from the most similar down, ties to the oldest. Groups that are `barred` never merge.
    """
    for row, (rows, similarity) in zip(due.tolist(), near, strict=True):
        reach = (similarity >= threshold).nonzero()[0]
        if not len(reach):
            continue
        rivals, values = rows[reach], -similarity[reach]
        refused = {-1, int(of[row])}
        ranked = sorted(zip(values.tolist(), rivals.tolist(), of[rivals].tolist(), strict=True))
        ranked = [one for one in ranked if one[2] not in refused]
        refused = set()
        for value, at, _ in ranked:
            own, other = int(of[row]), int(of[at])
            if own == other or other in refused or barred(own, other):
                continue
            if _mean(of, own, other, -value, compare) >= threshold:
                merge(own, other, -value)
                of[of == max(own, other)] = min(own, other)
                refused.clear()
            else:
                refused.add(other)


def _mean(of: np.ndarray, own: int, other: int, pair: float, compare: Compare) -> float:
    """The mean over all pairs of two groups; `pair` is the similarity of one."""
    rows, others = (of == own).nonzero()[0], (of == other).nonzero()[0]
    if len(rows) == len(others) == 1:
        return pair
    pairs = compare(rows, others)
    return float(np.add.reduce(pairs, axis=None) / np.float32(pairs.size))
