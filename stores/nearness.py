"""How near rumors lie in meaning: the cosine of their int8 vectors, the same in both stores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def cosines(vector: bytes, others: Sequence[bytes]) -> np.ndarray:
    """Cosines of one vector with others of its length, float64 (n,). All are int8, none is zero.

    Products and sums are exact integers: at most 127² for each of a vector's dimensions.
    """
    one = np.frombuffer(vector, np.int8).astype(np.int64)
    all_ = np.frombuffer(b"".join(others), np.int8).reshape(len(others), len(one)).astype(np.int64)
    return np.asarray((all_ @ one) / np.sqrt(float(one @ one) * (all_ * all_).sum(axis=1)))
