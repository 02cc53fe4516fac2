"""A feed's portions: in order, nothing lost, the first ones small."""

from __future__ import annotations

from itertools import pairwise

import pytest

from agents.feeding import FIRST_CHUNK, Feed
from agents.front import Entry


@pytest.mark.parametrize("most", [1, FIRST_CHUNK - 1, 4 * FIRST_CHUNK])
def test_portions_begin_small_and_grow_to_their_size(most: int) -> None:
    feed = Feed(
        paths=[], as_is=True, assume_rate=None, speed=None, ahead_ms=0, tick_ms=1, chunk=most
    )
    entries = [Entry(None, tick) for tick in range(20 * FIRST_CHUNK)]
    portions = list(feed.chunks(entries))
    assert [entry for portion in portions for entry in portion] == entries
    sizes = [len(portion) for portion in portions]
    assert sizes[0] == min(FIRST_CHUNK, most)
    assert all(after == min(2 * size, most) for size, after in pairwise(sizes[:-1]))
    assert list(feed.chunks([])) == []
