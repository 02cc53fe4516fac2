"""The lexicons were not written off the scenario: its phrases stand in none of their lines."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from streams.sources import scenario

LEXICONS = Path(__file__).resolve().parents[2] / "config" / "lexicons"
# A phrase of so few words is common speech: it must be no lexicon line, but may stand inside one.
SHORT = 2


def plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def lexicon_lines() -> list[tuple[str, str]]:
    lines = []
    for path in sorted(LEXICONS.glob("*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip() and not line.startswith("#"):
                lines.append((path.name, plain(line)))
    return lines


@pytest.mark.parametrize("bank", scenario.BANKS)
def test_no_lexicon_line_is_or_holds_a_phrase_of_the_bank(bank: str) -> None:
    phrases = {plain(phrase) for phrase in scenario.phrases(bank)} - {""}
    assert len(phrases) > 500
    for name, line in lexicon_lines():
        assert line not in phrases, f"{name}: {line!r} is a whole phrase of bank {bank}"
        words = line.split()
        for size in range(SHORT + 1, len(words)):
            for at in range(len(words) - size + 1):
                part = " ".join(words[at : at + size])
                assert part not in phrases, f"{name}: {line!r} holds the phrase {part!r}"
