"""How people type: the channel between a bank's well-spelt sentence and the post.

Diacritics kept, dropped or wrong, teencode, slips of the finger, stretched letters, capitals,
missing full stops, cut ends. Pure: text, a writing habit and a random generator in, text out.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_KEEP = re.compile(r"https?://|[#@]|\d|\.example")
_TONES = str.maketrans({"\u0309": "\u0303", "\u0303": "\u0309"})
_STRETCH_AT = re.compile(r"[aeiouytmnghàáảãạèéẹìíòóọùúụýêôơưậấầếềốồứừ]", re.IGNORECASE)
_CONSONANTS = (("tr", "ch"), ("ch", "tr"), ("s", "x"), ("x", "s"), ("gi", "d"), ("d", "gi"))


@dataclass(frozen=True, slots=True)
class Habit:
    """Shares in 0..1: of words that lose or mistake diacritics, of shortened words, of slips."""

    name: str
    weight: float
    bare: float = 0.0
    wrong: float = 0.0
    teen: float = 0.0
    slip: float = 0.0


# Guessed mix (no real corpus behind it): about a third writes carefully, two fifths bare.
HABITS: tuple[Habit, ...] = (
    Habit("careful", 0.30, slip=0.002),
    Habit("bare", 0.23, bare=1.0, teen=0.10, slip=0.008),
    Habit("teen", 0.20, teen=0.65, slip=0.008),
    Habit("teen-bare", 0.15, bare=1.0, teen=0.75, slip=0.012),
    Habit("mixed", 0.12, bare=0.35, wrong=0.18, teen=0.25, slip=0.015),
)


def fold(text: str) -> str:
    """``text`` without Vietnamese diacritics: ``đường`` -> ``duong``."""
    bare = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return bare.replace("đ", "d").replace("Đ", "D")


def _mistake(word: str, rng: random.Random) -> str:
    """Confuse hỏi and ngã, or two initial consonants that sound alike."""
    marks = unicodedata.normalize("NFD", word)
    if "\u0309" in marks or "\u0303" in marks:
        return unicodedata.normalize("NFC", marks.translate(_TONES))
    for right, heard in _CONSONANTS:
        if word.startswith(right) and rng.random() < 0.5:
            return heard + word[len(right) :]
    return word


def _slip(word: str, rng: random.Random) -> str:
    if len(word) < 3:
        return word
    at = rng.randrange(1, len(word) - 1)
    kind = rng.randrange(3)
    if kind == 0:
        return word[:at] + word[at + 1 :]
    if kind == 1:
        return word[:at] + word[at] + word[at:]
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


class Teencode:
    """Short forms of words and of two-word phrases, longest match first."""

    def __init__(self, table: Mapping[str, Sequence[str]]) -> None:
        self._table = {key: tuple(forms) for key, forms in table.items()}
        keys = sorted(self._table, key=len, reverse=True)
        self._match = re.compile(
            r"(?<!\w)(" + "|".join(map(re.escape, keys)) + r")(?!\w)", re.IGNORECASE
        )

    def shorten(self, text: str, share: float, rng: random.Random) -> str:
        """Replace about ``share`` of the words that have a short form."""

        def short(match: re.Match[str]) -> str:
            whole = match.group(0)
            # A capital inside a text is a name ("Sao Khuê"): nobody shortens those.
            if rng.random() >= share or (match.start() and whole[0].isupper()):
                return whole
            return rng.choice(self._table[whole.lower()])

        return self._match.sub(short, text)


def stretch(text: str, rng: random.Random) -> str:
    """Pull one word's last letter: ``thật`` -> ``thậtttt``."""
    words = text.split(" ")
    able = [i for i, w in enumerate(words) if len(w) > 2 and _STRETCH_AT.match(w[-1])]
    if not able:
        return text
    at = rng.choice(able)
    if not _KEEP.search(words[at]):
        words[at] += words[at][-1] * rng.randint(2, 5)
    return " ".join(words)


def cut(text: str, rng: random.Random) -> str:
    """The first half to nine tenths of a text, as a preview or a hurried copy shows it."""
    words = text.split(" ")
    if len(words) < 10:
        return text
    return " ".join(words[: int(len(words) * rng.uniform(0.5, 0.9))]) + rng.choice(("...", "…", ""))


def roughen(
    text: str, habit: Habit, teencode: Teencode, rng: random.Random, care: float = 0.0
) -> str:
    """One person's typing of ``text``; ``care`` 1.0 (an office's post) leaves it as it is."""
    ease = 1.0 - care
    if ease <= 0.0:
        return text
    if habit.teen:
        text = teencode.shorten(text, habit.teen * ease, rng)
    words = []
    for word in text.split(" "):
        if _KEEP.search(word):
            words.append(word)
            continue
        draw = rng.random()
        if habit.bare == 1.0 or draw < habit.bare:
            word = fold(word)
        elif draw < habit.bare + habit.wrong:
            word = _mistake(word, rng)
        if rng.random() < habit.slip * ease:
            word = _slip(word, rng)
        words.append(word)
    text = " ".join(words)
    return _finish(text, habit, ease, rng)


def _finish(text: str, habit: Habit, ease: float, rng: random.Random) -> str:
    casual = ease * (0.3 if habit.name == "careful" else 1.0)
    if rng.random() < 0.55 * casual:
        text = text.rstrip(".")
    elif text.endswith(("!", "?")) and rng.random() < 0.35 * ease:
        text += text[-1] * rng.randint(1, 4)
    if rng.random() < 0.45 * casual and text[:1].isupper():
        text = text[0].lower() + text[1:]
    if rng.random() < 0.10 * ease:
        text = stretch(text, rng)
    if rng.random() < 0.05 * ease and "http" not in text and len(text) < 220:
        text = text.upper()
    if rng.random() < 0.03 * ease:
        text = cut(text, rng)
    return text
