"""How well predicted groups agree with gold stories.

Formulas and their sources stand in docs/metrics.md. All functions take one integer label a post;
only which posts share a label matters, never its value.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from evaluation.errors import EvaluationError
from evaluation.expected_information import expected_mutual_information

Labels = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


def factorise(values: list[str | None]) -> Labels:
    """Labels 0..k-1 by first appearance; each None gets a label of its own, from k on."""
    codes: dict[str, int] = {}
    labels = np.array(
        [-1 if v is None else codes.setdefault(v, len(codes)) for v in values], dtype=np.int64
    )
    return singletons(labels, labels < 0)


def singletons(labels: Labels, alone: Mask) -> Labels:
    """A copy of `labels` (n,) in which each post of the mask `alone` has a label of its own."""
    result = labels.copy()
    start = int(labels.max(initial=-1)) + 1
    result[alone] = start + np.arange(int(alone.sum()))
    return result


def bcubed_per_post(
    gold: Labels, predicted: Labels, labelled: Mask
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """B-cubed precision and recall of every post, (n,) each; NaN for posts outside `labelled`.

    A post outside `labelled` belongs to no story: it makes the predicted groups larger (the
    denominator of precision) and is nobody's companion in gold.
    """
    _, cluster = np.unique(predicted, return_inverse=True)
    _, story = np.unique(gold, return_inverse=True)
    cluster_size = np.bincount(cluster)
    pair = story[labelled] * len(cluster_size) + cluster[labelled]
    _, pair_of, pair_count = np.unique(pair, return_inverse=True, return_counts=True)
    together = pair_count[pair_of]
    story_size = np.bincount(story[labelled], minlength=int(story.max(initial=0)) + 1)
    precision = np.full(len(gold), np.nan)
    recall = np.full(len(gold), np.nan)
    precision[labelled] = together / cluster_size[cluster[labelled]]
    recall[labelled] = together / story_size[story[labelled]]
    return precision, recall


def bcubed(gold: Labels, predicted: Labels, mask: Mask | None = None) -> tuple[float, float, float]:
    """B-cubed precision, recall and F1 of `predicted` (n,) against `gold` (n,).

    `mask` (n,) tells which posts have a story; without it, those with `gold >= 0`. Posts without
    a story count in the precision's denominators but are not averaged over. F1 is the harmonic
    mean of the averaged precision and recall. No labelled post gives NaN.
    """
    labelled = gold >= 0 if mask is None else mask
    precision, recall = bcubed_per_post(gold, predicted, labelled)
    return mean_scores(precision[labelled], recall[labelled])


def mean_scores(
    precision: npt.NDArray[np.float64], recall: npt.NDArray[np.float64]
) -> tuple[float, float, float]:
    """Means of per-post precision and recall, and their harmonic mean; NaN for no post."""
    if len(precision) == 0:
        return float("nan"), float("nan"), float("nan")
    p, r = float(precision.mean()), float(recall.mean())
    return p, r, 2 * p * r / (p + r)  # a post is its own companion, so p and r are above 0


def ami(gold: Labels, predicted: Labels, mask: Mask | None = None) -> float:
    """Adjusted mutual information over the labelled posts (arithmetic-mean normalisation)."""
    gold, predicted = _over_labelled(gold, predicted, mask)
    if len(gold) == 0:
        return float("nan")
    stories, groups = np.bincount(gold), np.bincount(predicted)
    pairs = np.unique(gold * len(groups) + predicted)
    if len(pairs) == len(stories) == len(groups):
        return 1.0  # the same grouping; the formula is 0 / 0 when it is all one or all singletons
    information = _scikit_learn().mutual_info_score(gold, predicted)
    expected = expected_mutual_information(stories, groups)
    above_chance = (_entropy(stories) + _entropy(groups)) / 2 - expected
    if abs(above_chance) < np.finfo(float).eps:
        return 0.0  # chance alone explains everything that could be shared
    return float((information - expected) / above_chance)


def ari(gold: Labels, predicted: Labels, mask: Mask | None = None) -> float:
    """Adjusted Rand index over the labelled posts."""
    gold, predicted = _over_labelled(gold, predicted, mask)
    return float(_scikit_learn().adjusted_rand_score(gold, predicted)) if len(gold) else np.nan


def v_measure(gold: Labels, predicted: Labels, mask: Mask | None = None) -> float:
    """V-measure (beta 1) over the labelled posts."""
    gold, predicted = _over_labelled(gold, predicted, mask)
    return float(_scikit_learn().v_measure_score(gold, predicted)) if len(gold) else np.nan


def _entropy(sizes: Labels) -> float:
    """Entropy in nats of groups of the given sizes."""
    share = sizes / sizes.sum()
    return float(-np.sum(share * np.log(share)))


def _over_labelled(gold: Labels, predicted: Labels, mask: Mask | None) -> tuple[Labels, Labels]:
    """Both labels of the labelled posts, renumbered 0..k-1."""
    labelled = gold >= 0 if mask is None else mask
    _, story = np.unique(gold[labelled], return_inverse=True)
    _, group = np.unique(predicted[labelled], return_inverse=True)
    return story, group


def _scikit_learn() -> Any:
    try:
        import sklearn.metrics
    except ImportError:
        raise EvaluationError(
            "AMI, ARI and V-measure need scikit-learn; run: pip install 'tindon[evaluate]'"
        ) from None
    return sklearn.metrics
