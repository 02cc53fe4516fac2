"""A rumor's posts are packed: the list that they stand for, in a fraction of its memory."""

from __future__ import annotations

import sys

import msgspec
import pytest

from alerts.placed import Placed
from alerts.rumor import Rumor, from_state, to_state

A_POST = 33  # bytes, with an id of 18 bytes; a pair in a list takes 150


def pairs(first: int, count: int) -> list[tuple[int, str]]:
    return [(3 * n, f"bài {n:012}") for n in range(first, first + count)]


@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 65_535, 65_536])
def test_it_is_the_list(count: int) -> None:
    posts = Placed(pairs(0, count))
    assert list(posts) == pairs(0, count)
    assert len(posts) == posts.count == count and bool(posts) == bool(count)
    assert bytes(posts.as_array()) == msgspec.msgpack.encode(pairs(0, count))


def test_another_rumors_posts_come_after_its_own() -> None:
    posts, others = Placed(pairs(0, 20)), Placed(pairs(50, 30))
    posts.extend(others)
    assert list(posts) == pairs(0, 20) + pairs(50, 30)
    assert list(others) == pairs(50, 30)
    assert posts == Placed(pairs(0, 20) + pairs(50, 30)) != others


def test_a_post_takes_few_bytes() -> None:
    posts = Placed(pairs(100_000, 50_000))
    assert sys.getsizeof(posts._packed) < 1.2 * 50_000 * A_POST


def test_a_rumors_state_holds_them_as_a_list() -> None:
    rumor = Rumor(number=0, id="r", event=0, born_at=0, first_at=0, last_at=0)
    for place, post_id in pairs(0, 40):
        rumor.posts.add(place, post_id)
    state = msgspec.msgpack.decode(to_state(rumor))
    assert state["posts"] == [list(pair) for pair in pairs(0, 40)]
    assert from_state(state) == rumor
