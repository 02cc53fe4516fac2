"""Flags read off a post's words: does it ask, deny, urge, speak of an authority, sell?

Lexicon files hold one phrase a line, `#` starts a comment. Phrases match whole words, and texting
abbreviations count as their words. Words typed without diacritics match any; words typed with them
must be the phrase's own ("bac bo" is "bác bỏ", "Bắc Bộ" is not). Marks narrow a phrase:

- `=khẩn`: only with these diacritics
- `really?`: only as the end of a question
- `nghe nói ...?`: only inside a question
- `~sản phẩm`: weak, two different weak phrases of the same flag are needed; a sum of money counts as
  one for adverts
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal, NamedTuple

from embeddings.features import words_of
from embeddings.normalise import fold
from streams.records import Flag

# HARM is the taxonomy's, see `embeddings.categories`.
LEXICON_FLAGS = {flag.name.lower(): flag for flag in Flag if flag.name and flag != Flag.HARM}
TEENCODE_FILE = "teencode.txt"
# looked at: a post asks, denies or sells at its beginning, an essay does everything somewhere
MAX_WORDS = 60
MAX_CHARS = 600  # of which these words are
MAX_QUESTIONS = 6
# A sum of money is a weak sign of an advert, as a phrase marked `~` is: 185k, 2,5 triệu, $40.
_PRICE = re.compile(
    r"(?<![\w.,])\d[\d.,]{0,9}\s?(?:k|tr|triệu|trieu|nghìn|nghin|ngàn|đ|đồng|vnd|vnđ|usd)\b|[$€£]\s?\d",
    re.IGNORECASE,
)
_MARKED = re.compile(r"([~=]*)(.*)")
Place = Literal["anywhere", "question", "question's end"]
_SENTENCE_END = re.compile(r"[.!;:…\n\"“”]")


class LexiconError(ValueError):
    """A lexicon that cannot be read; one line with file, line and mend."""


class Phrase(NamedTuple):
    """A line of a lexicon, ready to be looked for."""

    says: Flag | str  # the flag that it is a sign of, or the category of the taxonomy
    line: str  # as the lexicon has it
    folded: str  # " its words ", without diacritics
    spelled: list[str]  # its words with diacritics, as `_typed` has them
    exact: bool
    place: Place
    weak: bool


class Lexicons:
    """Phrases by the word under which they are looked up; immutable."""

    def __init__(
        self, lines: Iterable[tuple[Flag | str, str]], teencode: dict[str, str] | None = None
    ) -> None:
        self._teencode = teencode or {}
        found = (self._phrase(says, line) for says, line in lines)
        phrases = {(phrase.says, phrase.line): phrase for phrase in found if phrase.spelled}
        shared = Counter(word for phrase in phrases.values() for word in phrase.folded.split())
        self._by_word: dict[str, list[Phrase]] = {}
        for phrase in phrases.values():
            # the word that fewest phrases share, the longest of these: it is looked up least often
            # in vain
            key = min(phrase.folded.split(), key=lambda word: (shared[word], -len(word), word))
            self._by_word.setdefault(key, []).append(phrase)
        self._keys = frozenset(self._by_word)
        self.size = len(phrases)

    def _phrase(self, says: Flag | str, line: str) -> Phrase:
        marks, text = _MARKED.fullmatch(line).groups()  # type: ignore[union-attr]
        place: Place = "anywhere"
        if text.endswith("?"):
            place = "question" if text.endswith(("...?", "…?")) else "question's end"
        text = unicodedata.normalize("NFKC", text).lower()
        written = words_of(text)
        folded = f" {self._canonical([fold(word) for word in written])} "
        spelled = self._typed(written)
        return Phrase(says, line, folded, spelled, "=" in marks, place, "~" in marks)

    def _canonical(self, words: list[str]) -> str:
        teencode = self._teencode
        return " ".join([teencode.get(word, word) for word in words])

    def flags(self, words: list[str], cleaned: str) -> int:
        """Flag bits of a post: `words` of its cleaned, folded text, and the cleaned text itself."""
        return self.read(words, cleaned)[0]

    def read(self, words: list[str], cleaned: str) -> tuple[int, dict[str, int]]:
        """Flag bits of a post, and how many different phrases of each category it holds."""
        bits = 0
        topics: dict[str, int] = {}
        weak: dict[Flag, str] = {Flag.ADVERT: "a price"} if _PRICE.search(cleaned) else {}
        for phrase in self.matches(words, cleaned):
            says = phrase.says
            if isinstance(says, str):
                topics[says] = topics.get(says, 0) + 1
            elif not phrase.weak or weak.setdefault(says, phrase.folded) != phrase.folded:
                bits |= says
        return bits, topics

    def matches(self, words: list[str], cleaned: str) -> list[Phrase]:
        """The phrases found in a post's first MAX_WORDS words."""
        text = self._canonical(words[:MAX_WORDS])
        hits = self._keys.intersection(text.split(" "))
        if not hits:
            return []
        padded = f" {text} "
        candidates = [
            phrase for word in hits for phrase in self._by_word[word] if phrase.folded in padded
        ]
        if not candidates:
            return []
        spelled = None if cleaned.isascii() else self._spelled(words, cleaned)
        candidates = [phrase for phrase in candidates if _is_spelled(phrase, padded, spelled)]
        if any(phrase.place != "anywhere" for phrase in candidates):
            questions = self._questions(cleaned)
            candidates = [phrase for phrase in candidates if _is_asked(phrase, questions)]
        return candidates

    def _spelled(self, words: list[str], cleaned: str) -> list[str] | None:
        """The first words with their diacritics, those of an abbreviation without; None if they do
        not align."""
        written = words_of(cleaned[:MAX_CHARS])[:MAX_WORDS]
        last = min(len(written), len(words)) - 1
        if last < 0 or (
            len(written) < MAX_WORDS and len(written) < len(words) and len(cleaned) <= MAX_CHARS
        ):
            return None
        if fold(written[last - 1]) != words[last - 1]:  # the last one may be cut
            return None
        return self._typed(written)

    def _typed(self, written: list[str]) -> list[str]:
        """Words with their diacritics; those that an abbreviation stands for after a star, since
        they have none."""
        typed: list[str] = []
        for word in written:
            meant = self._teencode.get(fold(word))
            typed += (
                [_tone_first(word)] if meant is None else ["*" + part for part in meant.split()]
            )
        return typed

    def _questions(self, cleaned: str) -> list[str]:
        """The sentences that end in a question mark, as words."""
        pieces = cleaned.split("?")[:MAX_QUESTIONS]
        if len(pieces) == 1:
            return []
        sentences = (_SENTENCE_END.split(piece.rstrip(" !"))[-1] for piece in pieces[:-1])
        return [f" {self._canonical(words_of(fold(sentence)))} " for sentence in sentences]


def _is_spelled(phrase: Phrase, padded: str, spelled: list[str] | None) -> bool:
    """Does the phrase stand there with its own diacritics, or typed without any?"""
    if spelled is None:
        return not phrase.exact
    size = len(phrase.spelled)
    at = padded.find(phrase.folded)
    while at >= 0:
        first = padded.count(" ", 0, at)
        there = spelled[first : first + size]
        plain = not phrase.exact and "".join(there).isascii()
        # what an abbreviation stands for has no diacritics to compare
        if plain or all(
            typed == own or typed[0] == "*" or own[0] == "*"
            for typed, own in zip(there, phrase.spelled, strict=False)
        ):
            return True
        at = padded.find(phrase.folded, at + 1)
    return False


def _is_asked(phrase: Phrase, questions: list[str]) -> bool:
    if phrase.place == "anywhere":
        return True
    if phrase.place == "question":
        return any(phrase.folded in question for question in questions)
    return any(question.endswith(phrase.folded) for question in questions)


# Two spellings of the tone's place ("hoà", "hòa"; "uỷ", "ủy") are both in use.
_TONE_PLACES = {
    late: early
    for lates, earlies in (
        ("oà oá oả oã oạ", "òa óa ỏa õa ọa"),
        ("oè oé oẻ oẽ oẹ", "òe óe ỏe õe ọe"),
        ("uỳ uý uỷ uỹ uỵ", "ùy úy ủy ũy ụy"),
    )
    for late, early in zip(lates.split(), earlies.split(), strict=True)
}


def _tone_first(word: str) -> str:
    """The word with its tone on the first of two open vowels."""
    early = None if word.isascii() else _TONE_PLACES.get(word[-2:])
    return word[:-2] + early if early else word


def load(extra: Path | None = None, words: Iterable[tuple[str, str]] = ()) -> Lexicons:
    """The shipped lexicons, and those of a folder of the user's with files of the same names.

    `words`: (category, phrase) of a taxonomy, looked for in the same pass.

    Files are `<flag>.<anything>.txt` (enquiry.vi.txt) and `teencode.txt` (abbreviation, tab or
    spaces, words). Raises LexiconError when a file cannot be read or is named for no flag.
    """
    folders: list[Traversable] = [files("config").joinpath("lexicons")]
    if extra is not None:
        if not extra.is_dir():
            raise LexiconError(
                f"the lexicon folder {extra} does not exist: create it or leave the setting out"
            )
        folders.append(extra)
    phrases: list[tuple[Flag | str, str]] = list(words)
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
                raise LexiconError(
                    f"lexicon {file.name} belongs to no flag: begin its name with one of {known}"
                )
            phrases += [(flag, line) for _, line in lines]
    return Lexicons(phrases, teencode)


def _lines(file: Traversable) -> list[tuple[int, str]]:
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LexiconError(
            f"lexicon {file.name} cannot be read ({type(error).__name__}): save it as UTF-8 text"
        ) from None
    numbered = (
        (number, line.split("#", 1)[0].strip()) for number, line in enumerate(text.splitlines(), 1)
    )
    return [(number, line) for number, line in numbered if line]


def _pairs(name: str, lines: list[tuple[int, str]]) -> dict[str, str]:
    pairs = {}
    for number, line in lines:
        short, *rest = fold(line.lower()).split()
        if not rest:
            raise LexiconError(f"{name}:{number} gives no words for {short!r}: write them after it")
        pairs[short] = " ".join(rest)
    return pairs
