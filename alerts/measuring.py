"""When a rumor's coherence is measured: at places in the log, never when a document is written."""

from __future__ import annotations

from collections.abc import Iterable

from alerts.coherence import GROWN
from alerts.micros import Micros
from alerts.rumor import Rumor


def count_texts(rumors: dict[int, Rumor], numbers: list[int], texts: list[int]) -> None:
    """Add what a change brought to each micro-cluster's rumor: texts that are no exact copies."""
    for number, new in zip(numbers, texts, strict=True):
        rumors[number].texts += new


def measure(rumors: Iterable[Rumor], micros: Micros) -> None:
    """Bring the coherence of rumors up to date where enough texts were added."""
    for rumor in rumors:
        if rumor.posts.count < 2 or rumor.texts < GROWN * rumor.measured:
            continue
        rumor.measured = max(rumor.texts, 1)
        rumor.shared, rumor.overlap = micros.coherence(micros.of_rumor(rumor.number))
