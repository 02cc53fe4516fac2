"""Reads a ``tokenizer.json`` of our kind and gives the ids that the library ``tokenizers`` gives.

The library's unigram model takes 80 MB for 59,000 pieces; a dictionary takes 12. Ids are kept per
unit by the caller, so the search below runs only for units not met before.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

SPACE = "▁"
UNKNOWN_PENALTY = 10.0  # below the worst piece, as in SentencePiece's unigram model
CACHED_RUNS = 20_000  # about 4 MB; parts of links and words beside punctuation come back often
_CACHED_CHARS = 12
_ASCII_PUNCTUATION = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_ASCII_CUT = re.compile(r"[0-9]+|[!-/:-@\[-`{-~]|[^0-9!-/:-@\[-`{-~]+")


class Unigram:
    """Pieces with log probabilities; ``ids`` finds the likeliest pieces of a unit.

    A unit is one normalised word, or several joined by single spaces.
    """

    def __init__(self, vocab: list[list[Any]], unknown: int) -> None:
        self._pieces: dict[str, int] = {piece: i for i, (piece, _) in enumerate(vocab)}
        self._scores = array("d", [score for _, score in vocab])
        self._unknown = unknown
        self._known: dict[str, tuple[int, ...]] = {}
        # Longest piece by its first two characters: ends the search early in links and names.
        self._reach: dict[str, int] = {}
        for piece in self._pieces:
            if len(piece) > self._reach.get(piece[:2], 0):
                self._reach[piece[:2]] = len(piece)
        self._unknown_score = min(self._scores) - UNKNOWN_PENALTY

    def __len__(self) -> int:
        return len(self._pieces)

    def ids(self, unit: str) -> tuple[int, ...]:
        """Ids of the unit's pieces; an unbroken run of unknown characters is one unknown id."""
        known = self._known
        if len(known) > CACHED_RUNS:
            known = self._known = {}
        found: list[int] = []
        for run in runs(SPACE + unit.replace(" ", SPACE)):
            part = known.get(run)
            if part is None:
                part = self._best(run)
                if len(run) <= _CACHED_CHARS:
                    known[run] = part
            found += part
        return tuple(found)

    def _best(self, run: str) -> tuple[int, ...]:
        """The pieces of highest summed score (Viterbi); the earliest start wins a tie."""
        known, scores, reach, size = self._pieces.get, self._scores, self._reach, len(run)
        score = [0.0] + [float("-inf")] * size
        origin = [0] * (size + 1)
        number = [self._unknown] * (size + 1)
        for start in range(size):
            base = score[start]
            longest = reach.get(run[start : start + 2], 1)
            piece = known(run[start])
            total = base + (self._unknown_score if piece is None else scores[piece])
            if total > score[start + 1]:
                score[start + 1] = total
                origin[start + 1] = start
                number[start + 1] = self._unknown if piece is None else piece
            for end in range(start + 2, min(start + longest, size) + 1):
                piece = known(run[start:end])
                if piece is not None and (total := base + scores[piece]) > score[end]:
                    score[end] = total
                    origin[end] = start
                    number[end] = piece
        found: list[int] = []
        at = size
        while at > 0:
            if not (found and number[at] == self._unknown == found[-1]):
                found.append(number[at])
            at = origin[at]
        return tuple(found[::-1])

    def compound_seconds(self) -> dict[str, tuple[str, ...]]:
        """The second syllables of the pieces that span a space, by first syllable."""
        seconds: dict[str, list[str]] = {}
        for piece in self._pieces:
            first, space, second = piece[1:].partition(SPACE)
            if space and first and second:
                seconds.setdefault(first, []).append(second)
        return {first: tuple(sorted(rest)) for first, rest in seconds.items()}


def read(path: Path) -> Unigram:
    """The model in ``path``; raises ValueError when it is of another make."""
    try:
        model: dict[str, Any] = msgspec.json.decode(path.read_bytes())["model"]
        if model["type"] != "Unigram" or model.get("byte_fallback"):
            raise ValueError(f"a model of type {model['type']}")
        return Unigram(model["vocab"], int(model["unk_id"]))
    except (KeyError, TypeError, msgspec.DecodeError) as error:
        raise ValueError(f"not a unigram tokenizer ({error})") from error


def normalised(text: str) -> str:
    """What the file's own normaliser gives, but for white space: NFKC, lower case, no "▁".

    Lone surrogates, which UTF-8 cannot carry, become U+FFFD. Sigma has one lower case here, as
    the library goes by character.
    """
    if text.isascii():
        return text.lower()
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    text = unicodedata.normalize("NFKC", text).replace("\u03a3", "\u03c3")
    return text.lower().replace(SPACE, " ")


def runs(marked: str) -> list[str]:
    """Pre-tokens: runs of digits, single punctuation marks, and runs of anything else."""
    body = marked[1:]
    if body.isalpha():
        return [marked]
    if body.isascii():
        return _ASCII_CUT.findall(marked)
    cut: list[str] = []
    before = ""
    for char in marked:
        kind = _kind(char)
        if kind == before and kind != "P":
            cut[-1] += char
        else:
            cut.append(char)
        before = kind
    return cut


@lru_cache(maxsize=4096)
def _kind(char: str) -> str:
    """P punctuation, N number, L anything else."""
    if char in _ASCII_PUNCTUATION:
        return "P"
    first = unicodedata.category(char)[0]
    return first if first in "PN" else "L"
