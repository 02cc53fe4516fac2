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
    chosen: tuple[Measure, ...], rumor: Rumor, now: int, stream: Stream
) -> tuple[float, list[Signal]]:
    """A rumor's score at a watermark (ms), 0 to 1, and the signals behind it.

    The sum of the signals' contributions in their order, kept within 0 and 1.
    """
    total = 0.0
    signals = []
    for name, unit, threshold, weight, definition, measured in chosen:
        value = round(measured(rumor, now, stream), 4)
        if weight:
            total += contribution(value, threshold, weight)
        signals.append(
            Signal(
                name=name,
                value=value,
                threshold=threshold,
                unit=unit,
                definition=definition,
                weight=weight,
            )
        )
    return min(max(total, 0.0), 1.0), signals
