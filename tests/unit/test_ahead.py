"""Posts placed many at a time are placed as if they came one by one. All posts are invented."""

from __future__ import annotations

import random

import numpy as np
import pytest

from clusters.table import MicroTable
from streams.codec import encode, pack_state
from streams.validation import Tick
from tests.fold_scene import DAY, DENSE_DOOR, MINUTE, START, Entry, cluster_fold, cut, frame, post

WINDOW = 2 * DAY


def log() -> list[Entry]:
    """Many small stories, some of which age inside the frame, and one that fills its sum."""
    chance = random.Random(5)
    entries: list[Entry] = []
    now = START
    story = [f"lu{word}" for word in range(16)]
    for number in range(420):
        now += MINUTE
        if number % 3 == 0:
            words = chance.sample(story, 12)
        elif number % 3 == 1:  # near the story, and not near enough
            words = [*chance.sample(story, 6), *(f"xa{chance.randrange(3000)}x" for _ in range(6))]
        else:
            words = [f"tin{chance.randrange(3000)}x" for _ in range(9)]
        entries.append(post(f"p{number}", " ".join(words), now))
        if number in (100, 180, 181, 290):
            # All but the story are left behind: more than an eighth of the rows, so they close up.
            now += WINDOW - 10 * MINUTE
            entries.append(post(f"q{number}", " ".join(chance.sample(story, 12)), now))
            now += 20 * MINUTE
            entries.append(Tick(now))
    entries.append(Tick(now + MINUTE))
    return entries


def test_a_frame_is_folded_as_its_single_entries_are() -> None:
    whole = frame(log(), door=DENSE_DOOR)
    at_once = cluster_fold(door=DENSE_DOOR, window_ms=WINDOW, micro_threshold=0.5)
    one_by_one = cluster_fold(door=DENSE_DOOR, window_ms=WINDOW, micro_threshold=0.5)
    expected = [
        encode(change)
        for part in cut(whole, range(len(whole.offsets)))
        for change in one_by_one.fold(part)
    ]
    assert [encode(change) for change in at_once.fold(whole)] == expected
    assert pack_state(at_once.snapshot()) == pack_state(one_by_one.snapshot())


def test_words_said_again_after_the_window_are_compared_together_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Their micro-clusters are gone, so they need comparing: many at a time, as any others."""
    stretches: list[int] = []
    products = MicroTable.products

    def counted(table: MicroTable, vectors: np.ndarray) -> np.ndarray:
        stretches.append(len(vectors))
        return products(table, vectors)

    monkeypatch.setattr(MicroTable, "products", counted)
    chance = random.Random(6)
    texts = [" ".join(f"tin{chance.randrange(3000)}x" for _ in range(9)) for _ in range(256)]
    entries: list[Entry] = []
    for begin in (START, START + 3 * WINDOW):
        entries.append(Tick(begin))
        entries += [post(f"{begin}-{n}", text, begin + n) for n, text in enumerate(texts)]
    fold = cluster_fold(door=DENSE_DOOR, window_ms=WINDOW, micro_threshold=0.5)
    fold.fold(frame(entries, door=DENSE_DOOR))
    assert sum(stretches) >= 2 * len(texts), "nothing was compared again"
    assert len(stretches) < len(texts) // 8
