"""Flags read off a post's words: does it ask, deny, urge, speak of an authority, sell?

Lexicon files hold one phrase a line, `#` starts a comment. Phrases match whole words without regard to
diacritics and case, and texting abbreviations count as their words. Two marks narrow a phrase: `=bán`
counts only with these very diacritics, `really?` only in a text that holds a question mark.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from embeddings.features import words_of
from embeddings.normalise import clean, fold
from streams.records import Flag

LEXICON_FLAGS = {flag.name.lower(): flag for flag in Flag if flag.name}
TEENCODE_FILE = "teencode.txt"


class LexiconError(ValueError):
    """A lexicon that cannot be read; one line with file, line and mend."""


class Lexicons:
    """Phrases by the word that is looked up first; immutable after `load`."""

    def __init__(self, phrases: Iterable[tuple[Flag, str]], teencode: dict[str, str] | None = None) -> None:
        self._teencode = teencode or {}
        counted: dict[str, int] = {}
        split: list[tuple[Flag, str, bool, bool]] = []
        for flag, line in phrases:
            exact, asking = line.startswith("="), line.endswith("?")
            cleaned = clean(line.strip("=?"))
            words = self._words(cleaned if exact else fold(cleaned))
            if words:
                split.append((flag, " ".join(words), exact, asking))
                for word in words:
                    counted[word] = counted.get(word, 0) + 1
        self._by_word: dict[str, list[tuple[str, int, bool, bool]]] = {}
        for flag, phrase, exact, asking in split:
            # the word that fewest phrases share, the longest of these: it is looked up least often in vain
            key = min(phrase.split(" "), key=lambda word: (counted[word], -len(word), word))
            entry = (f" {phrase} ", int(flag), exact, asking)
            self._by_word.setdefault(fold(key), []).append(entry)
        self._keys = frozenset(self._by_word)
        self.size = len(split)

    def _words(self, text: str) -> list[str]:
        teencode = self._teencode
        return " ".join([teencode.get(word, word) for word in words_of(text)]).split(" ") if text else []

    def flags(self, words: list[str], cleaned: str) -> int:
        """Flag bits of a post: `words` of its cleaned, folded text, and the cleaned text itself."""
        teencode = self._teencode
        canonical = " ".join([teencode.get(word, word) for word in words])
        hits = self._keys.intersection(canonical.split(" "))
        if not hits:
            return 0
        padded = f" {canonical} "
        exact_padded = ""
        bits = 0
        for word in hits:
            for phrase, flag, exact, asking in self._by_word[word]:
                if bits & flag:
                    continue
                if exact:
                    exact_padded = exact_padded or f" {' '.join(self._words(cleaned))} "
                    found = phrase in exact_padded
                else:
                    found = phrase in padded
                if found and not (asking and "?" not in cleaned):
                    bits |= flag
        return bits


def load(extra: Path | None = None) -> Lexicons:
    """The shipped lexicons, and those of a folder of the user's with files of the same names.

    Files are `<flag>.<anything>.txt` (enquiry.vi.txt) and `teencode.txt` (abbreviation, tab or spaces, words).
    Raises LexiconError when a file cannot be read or is named for no flag.
    """
    folders: list[Traversable] = [files("config").joinpath("lexicons")]
    if extra is not None:
        if not extra.is_dir():
            raise LexiconError(f"the lexicon folder {extra} does not exist: create it or leave the setting out")
        folders.append(extra)
    phrases: list[tuple[Flag, str]] = []
    teencode: dict[str, str] = {}
    for folder in folders:
        for file in sorted(folder.iterdir(), key=lambda file: file.name):
            if not file.name.endswith(".txt"):
                continue
            lines = _lines(file)
            if file.name == TEENCODE_FILE:
                teencode.update(_pairs(file.name, lines))
                continue
            flag = LEXICON_FLAGS.get(file.name.split(".")[0])
            if flag is None:
                known = ", ".join(LEXICON_FLAGS)
                raise LexiconError(f"lexicon {file.name} belongs to no flag: begin its name with one of {known}")
            phrases += [(flag, line) for _, line in lines]
    return Lexicons(phrases, teencode)


def _lines(file: Traversable) -> list[tuple[int, str]]:
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LexiconError(f"lexicon {file.name} cannot be read ({type(error).__name__}): save it as UTF-8 text") from None
    numbered = ((number, line.split("#", 1)[0].strip()) for number, line in enumerate(text.splitlines(), 1))
    return [(number, line) for number, line in numbered if line]


def _pairs(name: str, lines: list[tuple[int, str]]) -> dict[str, str]:
    pairs = {}
    for number, line in lines:
        short, *rest = fold(line.lower()).split()
        if not rest:
            raise LexiconError(f"{name}:{number} gives no words for {short!r}: write the abbreviation, then its words")
        pairs[short] = " ".join(rest)
    return pairs
