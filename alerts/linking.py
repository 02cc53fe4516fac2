"""What two languages say of one claim: links by meaning alone, where words cannot meet."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from alerts.likeness import Near
from alerts.micros import Micros
from alerts.parameters import MEANING_LIKENESS


def across_languages(
    micros: Micros,
    due: np.ndarray,
    threshold: float,
    language: Callable[[int], str | None],
    merge: Callable[[int, int, float], None],
    barred: Callable[[int, int], bool] = lambda own, other: False,
) -> None:
    """Merge rumors of different languages that mean the same.

    For each micro-cluster that is due, the nearest one by the dense part alone whose rumor is mostly
    in another language: their rumors merge when the cosine reaches `threshold`, and so does the mean
    over all pairs, counted as a mean between posts (so that a chain of links does not tie together
    what is apart, nor many posts what few would not). `language` tells a rumor's main language;
    rumors that are `barred` never merge.
    """
    for row, near in zip(due.tolist(), micros.near(due), strict=True):
        found = _nearest(micros, int(micros.rumor[row]), near, threshold, language)
        if found is None:
            continue
        own, other, similarity = found
        if barred(own, other):
            continue
        rows, others = micros.of_rumor(own), micros.of_rumor(other)
        pairs = float(micros.meaning(rows, others).mean())
        if pairs * _spread(micros, rows) * _spread(micros, others) >= threshold:
            merge(own, other, similarity)


def _spread(micros: Micros, rows: np.ndarray) -> float:
    """Length of the mean of the dense unit vectors of a rumor's posts, see `Micros.between_posts`."""
    return math.sqrt(MEANING_LIKENESS + (1.0 - MEANING_LIKENESS) / max(micros.texts_of(rows), 1))


def _nearest(
    micros: Micros,
    own: int,
    near: Near,
    threshold: float,
    language: Callable[[int], str | None],
) -> tuple[int, int, float] | None:
    """(own rumor, nearest rumor of another language, cosine), when it is near enough."""
    reach = (near.meaning >= threshold).nonzero()[0]
    spoken = language(own) if len(reach) and own >= 0 else None
    if spoken is None:
        return None
    rivals = zip((-near.meaning[reach]).tolist(), near.rows[reach].tolist(), strict=True)
    for value, at in sorted(rivals):
        other = int(micros.rumor[at])
        if other not in (own, -1) and language(other) not in (spoken, None):
            return own, other, -value
    return None
