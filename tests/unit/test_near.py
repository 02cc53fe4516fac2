"""What is near a micro-cluster that is due, found for many at once, is what comparing with all finds."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from alerts import ahead, merging
from alerts.likeness import Floors
from alerts.micros import Micros
from streams.codec import pack_state
from streams.grid import GRID
from streams.records import MicroDelta

DIM = 6


@pytest.fixture(params=[5, ahead.COLUMNS], autouse=True, scope="module")
def columns(request: pytest.FixtureRequest) -> Iterator[None]:
    """Rows that are compared at a time: fewer than there are, and all."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ahead, "COLUMNS", request.param)
        yield


def delta(chance: random.Random, names: list[str]) -> MicroDelta:
    """What a change brings to micro-clusters: a few posts with a few of some 40 words, or none."""
    count = len(names)
    features = [sorted(chance.sample(range(40), chance.randrange(6))) for _ in names]
    sums = [64 * chance.randint(1, 3) for words in features for _ in words]
    directions = np.array([chance.gauss(0, 1) for _ in range(DIM * count)]).reshape(count, DIM)
    directions /= np.sqrt((directions**2).sum(axis=1, keepdims=True))
    return MicroDelta(
        id=names,
        dense=np.rint(directions * GRID).astype(np.int32),
        vectors=np.array([chance.choice([0, 1, 1, 1, 2]) for _ in names], np.int32),
        feature_ends=np.cumsum([len(words) for words in features]).astype(np.int64),
        features=np.array([word for words in features for word in words], np.uint32),
        feature_sums=np.array(sums, np.int32),
        feature_posts=np.ones(len(sums), np.int32),
    )


def deltas(chance: random.Random) -> list[MicroDelta]:
    """Micro-clusters come, grow, and grow again on the way."""
    names = [f"m{n}" for n in range(60)]
    return [delta(chance, chance.sample(names, chance.choice([0, 1, 1, 2, 5]))) for _ in range(70)]


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.0, 0.05, 0.2, 0.5]),
    st.sampled_from([0.1, 0.5, 0.9]),
)
@settings(max_examples=30)
def test_all_that_reaches_a_floor_is_found(seed: int, both: float, meaning: float) -> None:
    chance = random.Random(seed)
    micros = Micros(DIM, 0.4)
    micros.tell_from(Floors(both, meaning))
    log = deltas(chance)
    for start, end in pairwise([0, chance.randrange(70), 70]):
        micros.expect(log[start:end])
        for one in log[start:end]:
            _, due = micros.add(one)
            here = np.array(
                [micros.row(name) == at for at, name in enumerate(micros.ids)], np.bool_
            )
            all_near = micros.near(due.copy())  # what is not at hand is compared with all
            for own, near, whole in zip(due.tolist(), micros.near(due), all_near, strict=True):
                wanted = here & ((whole.similarity >= both) | (whole.meaning >= meaning))
                wanted[own] = False
                rows = near.rows.tolist()
                assert not set(wanted.nonzero()[0].tolist()) - set(rows)
                assert len(set(rows)) == len(rows)
                for values, of_all in zip(near[1:], whole[1:], strict=True):
                    assert (
                        values[here[near.rows]].tolist()
                        == of_all[near.rows][here[near.rows]].tolist()
                    )
            if chance.random() < 0.05 and micros.ids:
                micros.drop([chance.choice(micros.ids)])


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_changes_taken_many_at_a_time_leave_what_single_ones_leave(seed: int) -> None:
    log = deltas(random.Random(seed))
    at_once, one_by_one = Micros(DIM, 0.4), Micros(DIM, 0.4)
    at_once.expect(log)
    for one in log:
        at_once.add(one)
        one_by_one.expect(())
        one_by_one.add(one)
    assert pack_state(at_once.state()) == pack_state(one_by_one.state())


def test_a_single_row_is_as_like_others_as_among_many() -> None:
    micros = Micros(DIM, 0.4)
    for one in deltas(random.Random(4)):
        micros.add(one)
    rows = np.arange(micros.size)
    whole = micros.similarity(rows, rows).tolist()
    for row in rows.tolist():
        assert micros.similarity(rows[[row]], rows).tolist() == [whole[row]]
        assert micros.similarity(rows, rows[[row]]).tolist() == [[line[row]] for line in whole]


def test_words_of_posts_that_were_moved_away_are_gone() -> None:
    micros = Micros(DIM, 0.4)
    came = delta(random.Random(1), ["m0", "m1"])
    came = replace(
        came,
        vectors=np.array([2, 1], np.int32),
        features=np.array([7, 9, 7], np.uint32),
        feature_ends=np.array([2, 3]),
        feature_sums=np.array([64, 128, 64], np.int32),
        feature_posts=np.array([1, 2, 1], np.int32),
    )
    moved = replace(
        came, vectors=np.array([-1, -1]), feature_sums=np.array([-64, -64, -64], np.int32)
    )
    for one in (came, moved):
        rows, _ = micros.add(one)
    _, _, features, sums = micros.sums(rows[:1])
    assert (features.tolist(), sums.tolist()) == ([9], [64])


def test_micro_clusters_agree_by_no_more_than_their_cosine() -> None:
    """The floor for cosines is enough for whoever asks for agreement."""
    chance = random.Random(3)
    micros = Micros(DIM, 0.4)
    for one in deltas(chance):
        _, due = micros.add(one)
        for near in micros.near(due):
            positive = near.similarity >= 0
            assert (near.agreement <= near.similarity + 1e-5)[positive].all()


@pytest.mark.parametrize("single", [True, False])
def test_two_single_micro_clusters_are_not_compared_again(single: bool) -> None:
    of = np.array([0, 1] if single else [0, 1, 1])
    asked: list[tuple[int, int]] = []
    merged: list[tuple[int, int, float]] = []

    def compare(rows: np.ndarray, others: np.ndarray) -> np.ndarray:
        asked.append((len(rows), len(others)))
        return np.full((len(rows), len(others)), 0.5, np.float32)

    near = [(np.array([1]), np.array([0.75], np.float32))]
    merging.join(np.array([0]), near, compare, 0.5, of, lambda *pair: merged.append(pair))
    assert asked == ([] if single else [(1, 2)])
    assert merged == [(0, 1, 0.75)]
    assert not of.any()
