"""The score of a rumor: what each signal adds, and how an engineer changes that."""

from __future__ import annotations

from difflib import get_close_matches

from alerts.measures import MEASURES, NAMES, Measure
from alerts.parameters import BadParameter
from alerts.rumor import Rumor
from alerts.stream import Stream
from streams.documents import Signal


class UnknownSignal(BadParameter):
    """A setting names a signal that does not exist."""


def measures(weights: dict[str, float], thresholds: dict[str, float]) -> tuple[Measure, ...]:
    """The signals with an engineer's weights and thresholds in place of the defaults.

    Raises UnknownSignal for a name that is no signal, BadParameter for a threshold that is not
    positive.
    """
    for name in (*weights, *thresholds):
        if name not in NAMES:
            near = get_close_matches(name, NAMES, n=1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise UnknownSignal(
                f"there is no signal {name!r}{hint}; the signals are {', '.join(NAMES)}"
            )
    for name, value in thresholds.items():
        if not value > 0:
            raise BadParameter(f"the threshold of {name} must be above 0, not {value:g}")
    return tuple(
        m._replace(
            weight=weights.get(m.name, m.weight), threshold=thresholds.get(m.name, m.threshold)
        )
        for m in MEASURES
    )


def contribution(value: float, threshold: float, weight: float) -> float:
    """What one signal adds to the score: weight * min(value / threshold, 1)."""
    return weight * min(value / threshold, 1.0)


def score(
    chosen: tuple[Measure, ...],
    rumor: Rumor,
    now: int,
    stream: Stream,
    nothing: list[Signal] | None = None,
) -> tuple[float, list[Signal]]:
    """A rumor's score at a watermark (ms), 0 to 1, and the signals behind it.

    The sum of the signals' contributions in their order, kept within 0 and 1. `nothing`: what
    `signals_of_nothing` made of the chosen ones, from a caller that asks often.
    """
    total = 0.0
    signals = []
    for measure, zero in zip(chosen, nothing or signals_of_nothing(chosen), strict=True):
        value = measure.value(rumor, now, stream)
        if not value:
            signals.append(zero)
            continue
        value = round(value, 4)
        total += contribution(value, measure.threshold, measure.weight)
        signals.append(measure.signal(value))
    return min(max(total, 0.0), 1.0), signals


def signals_of_nothing(chosen: tuple[Measure, ...]) -> list[Signal]:
    """Each signal with the value 0: most of a small rumor's have it, and they need making but once."""
    return [measure.signal(0.0) for measure in chosen]
