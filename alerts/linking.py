"""What two languages say of one claim: links by meaning alone, where words cannot meet."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from alerts.micros import Micros
from alerts.parameters import LINK_LEAD


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
    in another language: their rumors merge when the cosine reaches `threshold`, leads that of every
    other such rumor by LINK_LEAD, and is reached by the mean over all pairs as well, so that a chain
    of links does not tie together what is apart. `language` tells a rumor's main language;
    rumors that are `barred` never merge.
    """
    for row, near in zip(due.tolist(), micros.meaning(due), strict=True):
        found = _nearest(micros, int(micros.rumor[row]), near, threshold, language)
        if found is None:
            continue
        own, other, similarity = found
        if barred(own, other):
            continue
        pairs = micros.meaning(micros.of_rumor(own), micros.of_rumor(other))
        if float(pairs.mean()) >= threshold:
            merge(own, other, similarity)


def _nearest(
    micros: Micros,
    own: int,
    near: np.ndarray,
    threshold: float,
    language: Callable[[int], str | None],
) -> tuple[int, int, float] | None:
    """(own rumor, nearest rumor of another language, cosine), when it is near and ahead enough."""
    of = micros.rumor[: micros.size]
    spoken = language(own) if own >= 0 else None
    if spoken is None:
        return None
    rivals = ((near >= threshold - LINK_LEAD) & (of >= 0) & (of != own)).nonzero()[0]
    best: tuple[int, int, float] | None = None
    for at in rivals[np.lexsort((rivals, -near[rivals]))].tolist():
        other, similarity = int(of[at]), float(near[at])
        if best is None and similarity < threshold:
            return None
        if best is not None and best[2] - similarity >= LINK_LEAD:
            break
        if (best is not None and other == best[1]) or language(other) in (spoken, None):
            continue
        if best is not None:
            return None  # the runner-up is too near
        best = (own, other, similarity)
    return best
