"""Do the posts of a rumor say the same? Read off the sums of its micro-clusters, not the texts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

FULL_WEIGHT = 64.0
"""A feature that stands once in a post adds this to its sum (see `streams.records.MicroDelta`)."""

GROWN = 1.10
"""It is measured again when the different texts have grown by this factor: a rumor of two texts at each
one, one of a thousand at each hundredth."""


class Coherence(NamedTuple):
    """What two posts of a rumor, drawn at random, have in common."""

    shared: float  # nats of rarity that both hold, mean over pairs of different texts
    overlap: float  # that as a share of the rarity that one text holds, 0 to 1


def coherence(sums: np.ndarray, rarity: np.ndarray, texts: int) -> Coherence:
    """Coherence of `texts` different texts.

    For each of their features: sums int64 (m,) of 64 for each text that holds it; rarity float64 (m,):
    ln of one over the share of all posts that hold it, so that what is common weighs nothing and what
    nobody else says weighs much. A feature in a share p of n texts is common to a pair with probability
    p (np - 1) / (n - 1). One single text, however often copied, has all of itself in common.
    """
    if not len(sums) or not texts:
        return Coherence(0.0, 0.0)
    share = np.minimum(sums / (FULL_WEIGHT * texts), 1.0)
    weight = np.maximum(rarity, 0.0)
    own = float(np.add.reduce(weight * share))
    if texts == 1:
        return Coherence(round(own, 4), 1.0)
    both = np.maximum(share * (texts * share - 1.0) / (texts - 1.0), 0.0)
    shared = float(np.add.reduce(weight * both))
    return Coherence(round(shared, 4), round(shared / own, 4) if own > 0 else 0.0)
