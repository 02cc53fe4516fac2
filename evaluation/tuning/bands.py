"""How sure a figure is: stories are drawn again with replacement, from a fixed seed.

Posts of one story stand or fall together, so that drawing posts would give bands far too narrow (the
cluster bootstrap; Field and Welsh 2007). Two settings are compared on the same draws.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from evaluation.tuning.scoring import StorySums, least_recall_size

DRAWS = 1000
SEED = 20
BAND = (5.0, 95.0)
"""Percentiles: a band of 90 %."""

Floats = npt.NDArray[np.float64]

GOALS = ("rumor", "event", "alerts")
"""What a sweep may be after: B-cubed F1 of rumors, of events, or the harmonic mean of precision and
recall of the alerts at `suggest`."""


def draws(stories: int) -> Floats:
    """(DRAWS + 1, stories): how often each story was drawn; the first row is the sample itself."""
    if not stories:
        return np.ones((DRAWS + 1, 0))
    chance = np.random.default_rng(SEED)
    drawn = chance.multinomial(stories, np.full(stories, 1 / stories), size=DRAWS)
    return np.vstack([np.ones(stories), drawn]).astype(np.float64)


def figure_of(sums: StorySums, name: str, weights: Floats) -> Floats:
    """A figure under each row of weights (`draws`); NaN where a draw leaves nothing.

    `rumor` and `event` are B-cubed F1, `precision` and `recall` those of the alerts at `suggest`,
    `alerts` is the harmonic mean of the two. Recall counts stories of 20 posts or more where there are
    such, else of 10 or more.
    """
    if name in ("rumor", "event"):
        posts = _over(weights, sums.posts)
        return _harmonic(
            _over(weights, sums.precision[name]) / posts, _over(weights, sums.recall[name]) / posts
        )
    right = _over(weights, sums.right["suggest"])
    raised = right + _over(weights, sums.wrong["suggest"]) + sums.alone["suggest"]
    big = np.array(sums.size) >= least_recall_size(sums)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision: Floats = right / raised
        recall: Floats = _over(weights[:, big], np.array(sums.found["suggest"])[big]) / weights[
            :, big
        ].sum(1)
    if name == "precision":
        return precision
    if name == "recall":
        return recall
    return _harmonic(np.where(raised > 0, precision, 0.0), recall)


def _over(weights: Floats, values: npt.ArrayLike) -> Floats:
    added: Floats = weights @ np.asarray(values, dtype=np.float64)
    return added


def _harmonic(one: Floats, other: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = 2 * one * other / (one + other)
    settled: Floats = np.where(one + other == 0, 0.0, mean)
    return settled


def band(values: Floats) -> tuple[float, float, float]:
    """The figure itself and its band, out of a row of `figure_of`; NaN where there is none."""
    if not np.isfinite(values[0]):
        return float("nan"), float("nan"), float("nan")
    low, high = np.nanpercentile(values, BAND)
    return float(values[0]), float(low), float(high)


def standard_error(values: Floats) -> float:
    drawn = values[1:]
    return float(np.nanstd(drawn)) if np.isfinite(drawn).any() else 0.0
