"""Signals in words: what was measured, and how it stands against its threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from console.language import Language
from stores.base import Signal

LOWERING = (
    "advert_share",
    "greeting_share",
)  # signals that speak against an alert: never given as a reason for it


@dataclass(frozen=True)
class SignalRow:
    name: str
    definition: str
    value: str
    threshold: str
    past: bool
    part: float  # %, half is the threshold, however far past it


def past(signal: Signal) -> bool:
    """Whether the signal has reached its threshold."""
    return signal.value >= signal.threshold


def strength(signal: Signal) -> float:
    """Value over threshold; a threshold of zero or less counts as reached."""
    return signal.value / signal.threshold if signal.threshold > 0 else 1.0 + max(0.0, signal.value)


def signal_rows(signals: Sequence[Signal], words: Language) -> list[SignalRow]:
    """All signals, those past their threshold first, the strongest first."""
    ordered = sorted(signals, key=lambda signal: (not past(signal), -strength(signal), signal.name))
    return [_row(signal, words) for signal in ordered]


def reasons(signals: Sequence[Signal], words: Language, most: int = 3) -> list[SignalRow]:
    """The strongest signals that speak for an alert, those past their threshold first.

    A level is reached by the score over all signals, so an alert may stand on several that are near
    their thresholds and none that is past.
    """
    speaking = [signal for signal in signals if signal.value > 0 and signal.name not in LOWERING]
    return signal_rows(speaking, words)[:most]


def _row(signal: Signal, words: Language) -> SignalRow:
    ratio = max(0.0, strength(signal))
    return SignalRow(
        name=words.name("signal", signal.name),
        definition=words.definition(signal.name, signal.definition),
        value=words.measure(signal.value, signal.unit),
        threshold=words.measure(signal.threshold, signal.unit),
        past=past(signal),
        part=round(100 * ratio / (1 + ratio), 2),
    )
