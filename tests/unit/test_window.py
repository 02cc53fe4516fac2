"""The last day's posts counted along: always what a walk through the timeline gives."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.distinct import Distinct
from alerts.parameters import DAY, HOUR
from alerts.parting import carve
from alerts.rumor import Kept, Rumor


def kept(number: int, at: int) -> Kept:
    values: dict[str, object] = dict.fromkeys(Kept.__struct_fields__, 0)
    values |= {"source": "feed", "id": f"p{number}", "text": "một tin", "created_at": at}
    values |= {"lang": "vi", "platform": None, "community": None, "url": None}
    return Kept(**(values | {"reply_to": None, "repost_of": None, "micro": "m"}))  # type: ignore[arg-type]


def rumor(number: int) -> Rumor:
    return Rumor(number=number, id=f"r{number}", event=number, born_at=0, first_at=0, last_at=0)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_lately_is_the_volume_of_the_last_day(seed: int) -> None:
    chance = random.Random(seed)
    now = 20_000 * DAY
    told = rumor(0)
    for number in range(chance.choice([5, 60, 900])):
        now += chance.choice([0, HOUR // 20, HOUR, 9 * HOUR])
        told.take(kept(number, now - chance.choice([0, 0, HOUR, 30 * HOUR, -2 * DAY])), 1, number)
        turn = chance.random()
        if turn < 0.1:
            other = rumor(1)
            other.take(kept(number, now - HOUR), 2, number)
            told.absorb(other)
        elif turn < 0.2:
            told.forget_before(now)
        asked = now - chance.choice([0, 0, 0, 5 * HOUR])
        assert told.lately(asked) == told.volume(asked - DAY, asked + DAY)


def test_lately_counts_no_post_that_a_split_took_away() -> None:
    now = 20_000 * DAY
    told = rumor(0)
    for number in range(6):
        told.take(kept(number, now - HOUR * number), number, number)
    assert told.lately(now) == 6
    carve(told, {0, 2}, rumor(1))
    assert told.lately(now) == told.volume(now - DAY, now + DAY) == 4


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_what_a_count_forgets_and_counts_needs_no_look_at_each_key(seed: int) -> None:
    chance = random.Random(seed)
    counted, plain = Distinct(), dict[int, int]()
    for at in range(200):
        key, time = chance.randrange(60), at - chance.randrange(80)
        counted.add(key, time)
        plain[key] = max(plain.get(key, time), time)
        if chance.random() < 0.2:
            counted.forget(at - 60)
            plain = {k: t for k, t in plain.items() if t >= at - 60}
        assert counted.newest == plain
        assert counted.since(at - 40) == sum(t >= at - 40 for t in plain.values())
