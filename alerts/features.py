"""What micro-clusters' texts say, as summed weights of hashed features."""

from __future__ import annotations

import numpy as np

from alerts.parameters import FEATURES_KEPT

Features = tuple[np.ndarray, np.ndarray]
"""Hashes, ascending, uint32 (m,), and their sums, int64 (m,)."""

NONE: Features = (np.zeros(0, np.uint32), np.zeros(0, np.int64))


def merged(
    old: Features, features: np.ndarray, sums: np.ndarray, lessens: bool = False
) -> Features:
    """Feature sums of both, by hash; when too many, the largest. `lessens`: sums may be below 1."""
    if len(old[0]):
        distinct, total = summed([old, (features, sums)])
    else:
        # A copy: what comes in may be a view of a message that holds a whole portion.
        distinct, total = features.copy(), sums.astype(np.int64)
    if lessens:  # words of posts that were moved away
        distinct, total = distinct[total > 0], total[total > 0]
    if len(distinct) > FEATURES_KEPT:
        largest = np.sort(np.lexsort((distinct, -total))[:FEATURES_KEPT])
        distinct, total = distinct[largest], total[largest]
    return distinct, total


def summed(held: list[Features]) -> Features:
    """Feature sums of all, by hash."""
    features = np.concatenate([f for f, _ in held] or [NONE[0]])
    if not len(features):
        return NONE
    order = features.argsort(kind="stable")
    features = features[order]
    first = np.empty(len(features), np.bool_)
    first[0] = True
    np.not_equal(features[1:], features[:-1], out=first[1:])
    starts = first.nonzero()[0]
    return features[starts], np.add.reduceat(np.concatenate([s for _, s in held])[order], starts)


def joined(held: list[Features]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All of them one after another: which one int64 (m,), hashes uint32 (m,), sums int64 (m,)."""
    text = np.repeat(np.arange(len(held)), [len(f) for f, _ in held])
    features = np.concatenate([f for f, _ in held] or [NONE[0]])
    return text, features, np.concatenate([s for _, s in held] or [NONE[1]])
