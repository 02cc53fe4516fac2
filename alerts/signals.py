"""Signals: what is measured on a rumor, each with unit, threshold and a defining sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from alerts.parameters import DAY, HOUR, BadParameter
from alerts.rumor import Rumor
from streams.documents import Signal
from streams.records import Flag


class Measure(NamedTuple):
    """A signal's definition. `weight` is its part of the score; a negative one lowers the score."""

    name: str
    unit: str
    threshold: float
    weight: float
    definition: str
    value: Callable[[Rumor, int], float]  # of a rumor at a watermark (ms)


def _growth(rumor: Rumor, now: int) -> float:
    latest = rumor.volume(now - HOUR, now + HOUR)
    before = rumor.volume(now - 7 * HOUR, now - HOUR) / 6.0
    return latest / (before + 1.0)


MEASURES: tuple[Measure, ...] = (
    Measure(
        "voices",
        "voices",
        8.0,
        0.30,
        "Distinct pseudonyms (without authors: distinct wordings) that posted it in the last "
        "24 hours.",
        lambda r, now: float(r.since(r.voices, now - DAY)),
    ),
    Measure(
        "wordings",
        "wordings",
        8.0,
        0.30,
        "Distinct wordings of eight words or more in the last 24 hours: people saying it in their "
        "own words, not copies.",
        lambda r, now: float(r.since(r.wordings, now - DAY)),
    ),
    Measure(
        "volume",
        "posts",
        20.0,
        0.15,
        "Posts in the last 24 hours.",
        lambda r, now: float(r.volume(now - DAY, now + DAY)),
    ),
    Measure(
        "growth",
        "times",
        3.0,
        0.10,
        "Posts in the last hour over the mean of the six hours before plus one.",
        _growth,
    ),
    Measure(
        "enquiry_share",
        "share of posts",
        0.10,
        0.10,
        "Share of the posts that ask whether it is true.",
        lambda r, now: r.share(Flag.ENQUIRY),
    ),
    Measure(
        "communities",
        "communities",
        3.0,
        0.05,
        "Distinct groups, pages or channels that carry it.",
        lambda r, now: float(len(r.communities)),
    ),
    Measure(
        "advert_share",
        "share of posts",
        0.50,
        -0.40,
        "Share of the posts that offer goods or services; lowers the score.",
        lambda r, now: r.share(Flag.ADVERT),
    ),
)

NAMES = tuple(m.name for m in MEASURES)


class UnknownSignal(BadParameter):
    """A setting names a signal that does not exist."""


def measures(weights: dict[str, float], thresholds: dict[str, float]) -> tuple[Measure, ...]:
    """The signals with an engineer's weights and thresholds in place of the defaults.

    Raises UnknownSignal for a name that is no signal, BadParameter for a threshold that is not
    positive.
    """
    for name in (*weights, *thresholds):
        if name not in NAMES:
            raise UnknownSignal(f"there is no signal {name!r}; the signals are {', '.join(NAMES)}")
    for name, value in thresholds.items():
        if not value > 0:
            raise BadParameter(f"the threshold of {name} must be above 0, not {value:g}")
    return tuple(
        m._replace(
            weight=weights.get(m.name, m.weight), threshold=thresholds.get(m.name, m.threshold)
        )
        for m in MEASURES
    )


def score(chosen: tuple[Measure, ...], rumor: Rumor, now: int) -> tuple[float, list[Signal]]:
    """A rumor's score at a watermark (ms), 0 to 1, and the signals behind it.

    Sum of weight * min(value / threshold, 1) over the signals, divided by the sum of the positive
    weights, kept within 0 and 1.
    """
    total = 0.0
    signals = []
    for name, unit, threshold, weight, definition, measured in chosen:
        value = measured(rumor, now)
        total += weight * min(value / threshold, 1.0)
        signals.append(
            Signal(
                name=name,
                value=round(value, 4),
                threshold=threshold,
                unit=unit,
                definition=definition,
            )
        )
    full = sum([m.weight for m in chosen if m.weight > 0])
    return (min(max(total / full, 0.0), 1.0) if full else 0.0), signals
