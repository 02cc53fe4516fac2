"""Clustering metrics agree with their definitions."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation import metrics
from evaluation.errors import EvaluationError
from evaluation.expected_information import expected_mutual_information

sklearn_metrics = pytest.importorskip("sklearn.metrics")


def labels(*values):
    return np.array(values, dtype=np.int64)


def literal_bcubed(gold, predicted):
    """B-cubed post by post, exactly as it is defined; gold -1 is a post of no story."""
    precisions, recalls = [], []
    for i, story in enumerate(gold):
        if story < 0:
            continue
        rumor = [j for j in range(len(gold)) if predicted[j] == predicted[i]]
        own = [j for j in range(len(gold)) if gold[j] == story]
        both = set(rumor) & set(own)
        precisions.append(len(both) / len(rumor))
        recalls.append(len(both) / len(own))
    p, r = sum(precisions) / len(precisions), sum(recalls) / len(recalls)
    return p, r, 2 * p * r / (p + r)


@st.composite
def groupings(draw, least_gold=-1):
    n = draw(st.integers(1, 40))
    gold = draw(st.lists(st.integers(least_gold, 5), min_size=n, max_size=n))
    predicted = draw(st.lists(st.integers(0, 6), min_size=n, max_size=n))
    return np.array(gold, dtype=np.int64), np.array(predicted, dtype=np.int64)


@given(groupings())
def test_bcubed_is_what_its_definition_says(grouping):
    gold, predicted = grouping
    if (gold < 0).all():
        assert all(math.isnan(value) for value in metrics.bcubed(gold, predicted))
    else:
        assert metrics.bcubed(gold, predicted) == pytest.approx(literal_bcubed(gold, predicted))


def test_bcubed_of_a_worked_example():
    # Stories aaab, rumors xxyy. Precision: (1 + 1 + 1/2 + 1/2) / 4;
    # recall: (2/3 + 2/3 + 1/3 + 1) / 4.
    p, r, f1 = metrics.bcubed(labels(0, 0, 0, 1), labels(0, 0, 1, 1))
    assert (p, r) == pytest.approx((3 / 4, 2 / 3))
    assert f1 == pytest.approx(12 / 17)


def test_chatter_in_a_rumor_costs_precision_and_is_not_averaged():
    p, r, _ = metrics.bcubed(labels(0, 0, -1, -1), labels(7, 7, 7, 8))
    assert (p, r) == pytest.approx((2 / 3, 1))


def test_a_mask_takes_posts_out_of_the_average_whatever_their_label():
    mask = np.array([True, True, False])
    assert metrics.bcubed(labels(0, 0, 0), labels(1, 1, 1), mask)[:2] == pytest.approx((2 / 3, 1))


@given(groupings(least_gold=0), st.randoms(use_true_random=False))
def test_only_who_is_together_matters_not_the_names(grouping, random):
    gold, predicted = grouping
    names = list(range(100, 107))
    random.shuffle(names)
    renamed = np.array(names, dtype=np.int64)[predicted]
    assert metrics.bcubed(gold, renamed) == pytest.approx(metrics.bcubed(gold, predicted))
    for metric in (metrics.ami, metrics.ari, metrics.v_measure):
        assert metric(gold, renamed) == pytest.approx(metric(gold, predicted), abs=1e-9)


@given(groupings(least_gold=0))
def test_a_perfect_grouping_scores_one(grouping):
    gold, _ = grouping
    assert metrics.bcubed(gold, gold + 3) == (1.0, 1.0, 1.0)
    for metric in (metrics.ami, metrics.ari, metrics.v_measure):
        assert metric(gold, gold + 3) == pytest.approx(1.0)


@given(groupings(least_gold=0))
def test_ami_is_scikit_learns(grouping):
    gold, predicted = grouping
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = sklearn_metrics.adjusted_mutual_info_score(gold, predicted)
    assert metrics.ami(gold, predicted) == pytest.approx(expected, abs=1e-9)


def test_ami_is_scikit_learns_on_a_large_grouping_of_uneven_sizes():
    random = np.random.default_rng(7)
    gold = (60 * random.random(4000) ** 3).astype(np.int64)
    alone = random.random(4000) < 0.3
    predicted = metrics.singletons(gold * 5 + random.integers(0, 5, 4000), alone)
    expected = sklearn_metrics.adjusted_mutual_info_score(gold, predicted)
    assert metrics.ami(gold, predicted) == pytest.approx(expected, abs=1e-10)


def test_expected_information_of_a_case_counted_by_hand():
    # Two pairs against two pairs of 4 posts: of 3 pairings one agrees (ln 2), two share nothing.
    sizes = labels(2, 2)
    assert expected_mutual_information(sizes, sizes) == pytest.approx(math.log(2) / 3)


def test_agreement_ignores_posts_of_no_story():
    gold, predicted = labels(0, 0, 1, 1, -1, -1), labels(0, 0, 1, 1, 0, 1)
    for metric in (metrics.ami, metrics.ari, metrics.v_measure):
        assert metric(gold, predicted) == pytest.approx(1.0)


def test_known_values_of_ari_and_v_measure():
    # The pair-counting formula by hand: 1 pair in common of 3 and 2, 6 pairs in all.
    gold, predicted = labels(0, 0, 0, 1), labels(0, 0, 1, 1)
    assert metrics.ari(gold, predicted) == pytest.approx((1 - 3 * 2 / 6) / (2.5 - 3 * 2 / 6))
    homogeneous = labels(0, 1, 2, 3)
    # Each rumor is pure (homogeneity 1); completeness is H(gold) / H(rumors) = ln 2 / ln 4.
    assert metrics.v_measure(labels(0, 0, 1, 1), homogeneous) == pytest.approx(2 * 0.5 / 1.5)


def test_scores_of_many_single_posts_come_without_a_warning():
    gold = np.arange(100, dtype=np.int64) // 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert metrics.ari(gold, np.arange(100, dtype=np.int64)) == pytest.approx(0)
        assert metrics.ami(gold, np.arange(100, dtype=np.int64)) == pytest.approx(0)
        metrics.v_measure(gold, np.arange(100, dtype=np.int64))


def test_posts_without_a_group_get_one_each():
    assert metrics.factorise(["b", None, "a", "b", None]).tolist() == [0, 2, 1, 0, 3]
    assert metrics.factorise([]).tolist() == []


def test_a_missing_scikit_learn_is_told_with_the_mend(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sklearn.metrics", None)
    with pytest.raises(EvaluationError, match=r"pip install 'tindon\[evaluate\]'"):
        metrics.ari(labels(0, 1), labels(0, 1))
