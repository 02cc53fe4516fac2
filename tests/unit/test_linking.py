"""Links across languages: meaning alone, and never within one language."""

from collections.abc import Callable

import numpy as np
import pytest

from alerts.linking import across_languages
from alerts.micros import Micros
from alerts.parameters import FEW, LIKENESS, MEANING_LIKENESS
from streams.grid import GRID
from streams.records import MicroDelta

DIM = 8


def delta(*directions: list[float], posts: int = 1) -> MicroDelta:
    """Micro-clusters without words, each of `posts` equal posts in a direction."""
    rows = np.zeros((len(directions), DIM))
    for row, given in zip(rows, directions, strict=True):
        row[: len(given)] = given
    rows /= np.sqrt((rows * rows).sum(axis=1, keepdims=True))
    none = np.zeros(0, np.int32)
    return MicroDelta(
        id=[f"m{n}" for n in range(len(rows))],
        dense=np.rint(rows * GRID).astype(np.int32) * posts,
        feature_ends=np.zeros(len(rows), np.int64),
        features=np.zeros(0, np.uint32),
        feature_sums=none,
        feature_posts=none,
        vectors=np.full(len(rows), posts, np.int32),
    )


def micros(*directions: list[float], posts: int = 1) -> Micros:
    made = Micros(DIM, 0.3)
    made.add(delta(*directions, posts=posts))
    made.rumor[: made.size] = np.arange(made.size)
    return made


def links(made: Micros, languages: str, threshold: float = 0.5) -> list[tuple[int, int]]:
    """Linked pairs when the last micro-cluster is due; a letter for each rumor's language."""
    found: list[tuple[int, int]] = []

    def language(rumor: int) -> str | None:
        return None if languages[rumor] == "?" else languages[rumor]

    merge: Callable[[int, int, float], None] = lambda a, b, _: found.append((a, b))  # noqa: E731
    across_languages(made, np.array([made.size - 1]), threshold, language, merge)
    return found


@pytest.mark.parametrize(
    ("directions", "languages", "linked"),
    [
        ([[1, 0], [0, 1], [1, 0.1]], "vve", [(2, 0)]),
        ([[1, 0], [0, 1], [1, 0.1]], "eve", []),  # the near one is of its own language
        ([[1, 0], [0, 1], [1, 0.1]], "vv?", []),
        ([[1, 0], [0, 1], [1, 0.1]], "?ve", []),
        ([[1, 0], [0, 1], [1, 1, 3]], "vve", []),  # too far from both
        ([[1, 0.2], [1, 0], [1, 0.05]], "vve", [(2, 1)]),  # the nearer of two
        ([[1, 0.2], [1, 0], [1, 0.05]], "vee", [(2, 0)]),  # one of them is not in question
    ],
)
def test_a_link_needs_another_language_and_nearness(
    directions: list[list[float]], languages: str, linked: list[tuple[int, int]]
) -> None:
    assert links(micros(*directions), languages) == linked


def test_a_rumor_that_is_far_on_average_is_not_linked_by_its_nearest_part() -> None:
    made = micros([1, 0], [-1, 0.2], [1, 0.1])
    made.rumor[:3] = [0, 0, 1]
    assert links(made, "ve") == []


def test_gone_micro_clusters_take_no_part() -> None:
    made = micros([1, 0], [0, 1], [1, 0.1])
    made.drop(["m0"])
    assert links(made, "vve") == []


def test_centroids_of_many_posts_count_for_less_than_their_cosine() -> None:
    """Mean cosine of the posts = cosine of the centroids times both spreads."""
    rows = np.array([0, 1])
    for posts, spread in ((1, 1.0), (4, np.sqrt(LIKENESS + (1 - LIKENESS) / 4))):
        made = micros([1, 0], [1, 1], posts=posts)
        cosines = made.similarity(rows, rows)
        assert cosines[0, 1] == pytest.approx(np.sqrt(0.5), abs=0.01)
        assert made.between_posts(rows, rows) == pytest.approx(cosines * spread**2, rel=1e-6)


def test_few_texts_are_asked_for_more_agreement_than_many() -> None:
    """What lacks to full agreement counts 1 + FEW / (a * b) times, so equal texts agree by 1."""
    rows = np.array([0, 1])
    for posts in (1, 3):
        made = micros([1, 0], [1, 1], posts=posts)
        near = made.similarity(rows, rows)
        lacking = 1 - made.posts_apart(near, rows, rows)
        wanted = 1 - lacking * (1 + FEW / posts**2)
        assert made.agreement(near, rows, rows) == pytest.approx(wanted, rel=1e-5)
    assert micros([1, 0], [1, 0]).agreement(np.ones((1, 1), np.float32), rows[:1], rows[1:]) == 1


def test_rumors_of_many_texts_must_be_nearer_in_meaning_to_be_linked() -> None:
    """Their centroids are near because what their posts do not share averages out."""
    directions = [[1, 0, 0], [0, 1, 0], [1, 0.5, 0.5]]
    assert links(micros(*directions, posts=1), "vve", threshold=0.75) == [(2, 0)]
    spread = np.sqrt(MEANING_LIKENESS + (1 - MEANING_LIKENESS) / 50)
    assert spread**2 < 0.75
    assert links(micros(*directions, posts=50), "vve", threshold=0.75) == []
