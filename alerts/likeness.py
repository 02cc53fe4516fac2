"""How like two micro-clusters are: from products of their vectors to cosines and agreement.

Each value follows from its own pair alone, so that any part of a table of pairs has the same bits as the
whole. Arrays are broadcast against each other; float32 where nothing else is said.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from alerts.parameters import FEW

SLACK = 1e-4
"""What a bound leaves to rounding; some hundred times what rounding can be."""


class Floors(NamedTuple):
    """Cosines below which nobody asks how near two micro-clusters are; at 0 or below all are told."""

    both: float  # of whole vectors
    meaning: float  # of their dense parts


class Near(NamedTuple):
    """Micro-clusters that may be near one that is due: all whose cosine reaches a floor, and few others."""

    rows: np.ndarray  # int64 (r,), each once
    similarity: np.ndarray  # (r,): cosines
    agreement: np.ndarray  # (r,)
    meaning: np.ndarray  # (r,): cosines of the dense parts


def cosines(product: np.ndarray, lengths: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Cosines of vectors with these products and lengths."""
    return np.asarray(product / (lengths * others))


def posts_apart(similarity: np.ndarray, spread: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Cosines of sums as mean cosines between their posts, by the spreads of both."""
    return np.asarray(similarity * spread * others)


def agreement(apart: np.ndarray, posts: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Mean cosines between posts, int64 so many of each; what they lack counts more where posts are few.

    Never above what it is made of, but for rounding.
    """
    pairs = np.maximum(posts, 1) * np.maximum(others, 1)
    stretched = (1.0 + FEW / pairs).astype(np.float32)
    return np.asarray(1 - (1 - apart) * stretched)


def reached(
    product: np.ndarray, lengths: np.ndarray, others: np.ndarray, floor: float
) -> np.ndarray:
    """Which pairs may have a cosine of `floor` or more, bool; all that have one are among them.

    product (k, n), lengths (k,), others (n,).
    """
    return np.asarray(product >= (lengths * np.float32(floor - SLACK))[:, None] * others)
