"""The invented province's accounts: handles, typing habits, followers, places of posting."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from streams.sources.scenario.noise import HABITS, Habit

CROWD = 2600


@dataclass(frozen=True, slots=True)
class Account:
    """An invented account. ``reach`` is the number of people who see a post of it."""

    handle: str
    habit: Habit
    reach: int


def crowd(
    words: Mapping[str, Sequence[str]], rng: random.Random, size: int = CROWD
) -> list[Account]:
    """``size`` accounts with distinct handles out of the bank's handle words."""
    heads, tails = words["heads"], words["tails"]
    weights = [habit.weight for habit in HABITS]
    handles: dict[str, None] = {}
    while len(handles) < size:
        joint = rng.choice(("", ".", "_", "", "."))
        parts = [rng.choice(heads), rng.choice(tails)]
        if rng.random() < 0.35:
            parts.append(rng.choice(tails))
        tail = str(rng.randrange(10, 100)) if rng.random() < 0.45 else ""
        handles[joint.join(parts) + tail] = None
    return [
        # Followers are heavy-tailed: median about 120, one in a hundred above 4,000.
        Account(handle, rng.choices(HABITS, weights)[0], int(rng.lognormvariate(4.8, 1.5)) + 3)
        for handle in handles
    ]


def regular(accounts: Sequence[Account], rng: random.Random) -> Account:
    """An account drawn so that some people write daily and most hardly ever."""
    return accounts[min(int(rng.random() ** 1.8 * len(accounts)), len(accounts) - 1)]
