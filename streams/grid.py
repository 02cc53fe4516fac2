"""The integer grid: words and dense vectors as whole numbers that add up exactly in any order.

Both folds weigh and compare on it. Products and sums of whole numbers below 2**24 are exact in
float32, so a result does not depend on batches, on the order of additions or on threads.
"""

from __future__ import annotations

import numpy as np

GRID = 512
"""Steps per unit: components are rounded to multiples of 1/512."""

LEXICAL = 512
"""Dimensions of the lexical sketch. 512 + 256 dense beat 384+128 and 256+64 by .016-.024 F1."""

SLOTS = 4
"""Signed slots that a hashed feature falls into; more slots, less collision noise."""

FREQUENCY_BITS = 20
"""A document-frequency table has 2**20 cells of 4 bytes."""

_SALT = (np.arange(1, SLOTS + 1, dtype=np.uint32) * np.uint32(0x9E3779B9))[None, :]
_SIGNS = np.array([-1.0, 1.0]) / np.sqrt(SLOTS)
_SLOT = np.uint32(LEXICAL - 1)
_FIRST, _SECOND = np.uint32(0x85EBCA6B), np.uint32(0xC2B2AE35)
_13, _16, _31 = np.uint32(13), np.uint32(16), np.uint32(31)


def spread(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Signed slots of hashed features.

    features uint32 (m,) -> slots int64 (m, SLOTS) in [0, LEXICAL), signs float64 (m, SLOTS) of
    +-1/sqrt(SLOTS). The mixing steps are MurmurHash3's 32-bit finaliser (A. Appleby, public
    domain).
    """
    h = features[:, None] + _SALT
    h ^= h >> _16
    h *= _FIRST
    h ^= h >> _13
    h *= _SECOND
    h ^= h >> _16
    return (h & _SLOT).astype(np.int64), _SIGNS[h >> _31]


def sketch(rows: np.ndarray, features: np.ndarray, weights: np.ndarray, n: int) -> np.ndarray:
    """Weighted features of n texts as unit rows, float64 (n, LEXICAL); zero without features.

    rows int (m,): the text of each feature. Sums run in the order given (one feature after
    another), so a row does not depend on its neighbours.
    """
    slots, signs = spread(features)
    if n > 1:
        slots += rows[:, None] * LEXICAL
    flat = np.bincount(slots.ravel(), (weights[:, None] * signs).ravel(), minlength=n * LEXICAL)
    return unit(flat.reshape(n, LEXICAL))


def unit(x: np.ndarray) -> np.ndarray:
    """Rows divided by their length; zero rows stay zero."""
    length = np.sqrt(np.add.reduce(x * x, axis=1))
    length[length == 0] = 1.0
    return np.asarray(x / length[:, None])


def on_grid(dense: np.ndarray, lexical: np.ndarray, dense_weight: float) -> np.ndarray:
    """Both parts as one vector of whole numbers, float32 (n, d + LEXICAL), length about GRID.

    A post without words keeps its dense part alone, one without a dense part its words alone.
    """
    a = np.where(dense.any(axis=1), np.where(lexical.any(axis=1), dense_weight, 1.0), 0.0)[:, None]
    d = dense.shape[1]
    x = np.empty((len(lexical), d + LEXICAL))
    # GRID is a power of two: to scale the weight by it rounds as to scale the product does.
    np.multiply(dense, np.sqrt(a) * GRID, out=x[:, :d])
    np.multiply(lexical, np.sqrt(1.0 - a) * GRID, out=x[:, d:])
    return np.rint(x, out=x).astype(np.float32)


def quantise(dense: np.ndarray) -> np.ndarray:
    """Unit rows rounded to the grid, int32, same shape."""
    return np.rint(dense * np.float32(GRID)).astype(np.int32)


def int8(sums: np.ndarray) -> bytes:
    """One vector of whole numbers, int64 (d,), as int8 values of the same direction; b"" for zero.

    The largest component becomes 127, halves round away from zero: integers only, so exact.
    """
    sizes = np.abs(sums)
    largest = int(np.maximum.reduce(sizes, initial=0))
    if not largest:
        return b""
    scaled = (2 * 127 * sizes + largest) // (2 * largest)
    return bytes(np.where(sums < 0, -scaled, scaled).astype(np.int8).tobytes())


def inverse_frequency(frequency: np.ndarray, posts: int | np.ndarray) -> np.ndarray:
    """ln((N + 2) / (df + 1)) with N posts seen (of all or of each), df of them holding the feature;
    float64, same shape.

    Inverse document frequency (Sparck Jones 1972), smoothed so that a first post has weights too.
    """
    return np.asarray(np.log((posts + 2.0) / (frequency + 1.0)))
