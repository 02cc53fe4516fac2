"""What a change carries of the posts that entered sums, for one post and for many."""

from __future__ import annotations

import random

import numpy as np
import pytest

from clusters.pending import Pending
from clusters.weights import Texts

DIM = 3


def texts(chance: random.Random, count: int) -> Texts:
    words = [sorted(chance.sample(range(9), chance.randrange(5))) for _ in range(count)]
    sizes = [len(some) for some in words]
    steps = [[chance.randrange(-9, 9) for _ in range(DIM)] for _ in range(count)]
    return Texts(
        text=np.repeat(np.arange(count), sizes),
        features=np.array([word for some in words for word in some], np.uint32),
        use=np.array([chance.choice([1.0, 1.69, 2.1]) for some in words for _ in some]),
        dense=np.zeros((count, DIM), np.float32),
        steps=np.array(steps, np.int32),
    )


@pytest.mark.parametrize("count", [1, 1, 1, 2, 5])
@pytest.mark.parametrize("seed", range(8))
def test_sums_are_those_of_the_posts(count: int, seed: int) -> None:
    chance = random.Random(seed)
    pending = Pending(DIM)
    names = ["m0", "m1", "m2"]
    for name in names:  # followed by posts without vectors
        pending._index(name)
    posts, micros = texts(chance, count), [chance.choice(names) for _ in range(count)]
    pending.vectors(posts, micros)
    delta = pending.take(partition=0, sequence=1, watermark=0, encoder="none").micros
    assert delta.id == names
    starts = [0, *delta.feature_ends.tolist()]
    for at, name in enumerate(names):
        own = [post for post, micro in enumerate(micros) if micro == name]
        assert delta.vectors[at] == len(own)
        assert delta.dense[at].tolist() == posts.steps[own].sum(axis=0).tolist()
        held: dict[int, list[int]] = {}
        for post, word, use in zip(posts.text, posts.features, posts.use, strict=True):
            if post in own:
                held.setdefault(int(word), []).append(round(use * 64))
        span = slice(starts[at], starts[at + 1])
        assert delta.features[span].tolist() == sorted(held)
        assert delta.feature_sums[span].tolist() == [sum(held[word]) for word in sorted(held)]
        assert delta.feature_posts[span].tolist() == [len(held[word]) for word in sorted(held)]
    kinds = [a.dtype.name for a in (delta.dense, delta.vectors, delta.feature_ends, delta.features)]
    kinds += [delta.feature_sums.dtype.name, delta.feature_posts.dtype.name]
    assert kinds == ["int32", "int32", "int64", "uint32", "int32", "int32"]
