"""When posts appear: the day's rhythm and the shapes in which a story spreads.

All times are seconds after the scenario's start, which counts as 05:00 in the province.
"""

from __future__ import annotations

import random
from bisect import bisect
from dataclasses import dataclass
from itertools import accumulate

HOUR = 3600.0
DAY = 24 * HOUR
# Relative activity per hour from 05:00 on: morning, noon and evening peaks, a quiet night.
RHYTHM: tuple[float, ...] = (
    3, 6, 8, 7, 6, 6, 8, 8, 6, 5, 5, 6, 8, 8, 10, 12, 12, 9, 5, 2.5, 1.2, 0.8, 0.7, 1.2,
)  # fmt: skip
_STEPS = tuple(accumulate(RHYTHM))


@dataclass(frozen=True, slots=True)
class Shape:
    """How a story spreads; hours. ``echo`` is a second wave's distance from the first post."""

    after: float
    rise: float
    decay: float
    echo: float | None = None


def daily(rng: random.Random) -> float:
    """A moment of the day drawn by its rhythm."""
    hour = bisect(_STEPS, rng.random() * _STEPS[-1])
    return min((min(hour, 23) + rng.random()) * HOUR, DAY - 1.0)


def _awake(at: float) -> float:
    return RHYTHM[min(int(at / HOUR), 23)] / max(RHYTHM)


def spread(count: int, shape: Shape, rng: random.Random) -> list[float]:
    """``count`` sorted moments: slow start, burst, decay, thinned at night; all inside the day."""
    first = shape.after * HOUR
    moments = [first]
    while len(moments) < count:
        part = rng.random()
        if shape.echo is not None and part > 0.72:
            at = first + shape.echo * HOUR + rng.expovariate(1 / (shape.decay * 0.6 * HOUR))
        elif part < 0.15:
            at = first + shape.rise * HOUR * rng.random() ** 0.6
        else:
            # A gamma of shape 2 climbs before it falls: nobody forwards in the first second.
            at = first + shape.rise * HOUR + rng.gammavariate(2.0, shape.decay * HOUR / 2)
        if at >= DAY - 1.0:
            # What would fall after the day's end comes earlier instead, so that counts hold.
            at = rng.uniform(first + (DAY - first) * 0.2, DAY - 2.0)
        if rng.random() < 0.25 + 0.75 * _awake(at):
            moments.append(at)
    moments.sort()
    return moments
