"""Text to the plain words that both stores index and search.

Done here and not by an analyser of Elasticsearch or SQLite, so that a query finds the same posts in
both and on any distribution: what is indexed is words with single spaces, where both engines split.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

FOLDING_VERSION = 1  # raise with every change of what `folded` gives: stores then index anew
MAX_WORD = 64  # characters; a longer run is no word that anybody types

# Marks that people leave out when they type: Latin, Greek, Cyrillic; Hebrew points; Arabic vowels.
# Marks of Indic and South-East Asian scripts are letters to their readers and stay.
_MARKS = re.compile(
    "[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
)
# Scripts written without spaces: each character is a word (Thai, Lao, Myanmar, Khmer, kana, Han).
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003ffff"
)
_UNSPACED_MARKS = (
    "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ecd\u102b-\u103e\u17b4-\u17d3"
)
# Marks inside words: \w alone would cut Indic words at their vowel signs.
_INDIC_MARKS = "\u0900-\u0903\u093a-\u094f\u0962\u0963\u0981-\u0dff"
_WORD = re.compile(rf"[{_UNSPACED}][{_UNSPACED_MARKS}]*|(?:(?![_{_UNSPACED}])[\w{_INDIC_MARKS}])+")
_ASCII_WORD = re.compile(r"[a-z0-9]+")
_LETTERS = str.maketrans({"đ": "d", "ð": "d", "ł": "l", "ø": "o", "ı": "i", "æ": "ae", "œ": "oe"})

# Spellings of Vietnamese chat for one word, after folding. Applied to posts and queries alike, so
# that either spelling finds both.
_TEENCODE = {
    "ko": "khong", "k": "khong", "kh": "khong", "hok": "khong", "hem": "khong", "khg": "khong",
    "kg": "khong", "dc": "duoc", "dk": "duoc", "dx": "duoc", "j": "gi", "gj": "gi", "vs": "voi",
    "bik": "biet", "bit": "biet", "bt": "biet", "ng": "nguoi", "nguoj": "nguoi", "mn": "moi nguoi",
    "mng": "moi nguoi", "r": "roi", "rui": "roi", "oy": "roi", "trc": "truoc", "nhju": "nhieu",
    "nhiu": "nhieu", "lun": "luon", "thik": "thich", "iu": "yeu", "bj": "bi", "dt": "dien thoai",
    "sdt": "so dien thoai", "ck": "chuyen khoan", "stk": "so tai khoan", "tk": "tai khoan",
}  # fmt: skip


_CACHED_WORDS = (
    16_384  # about 4 MB; with 65,536 a word in fifty more is at hand, and no time is won
)
_CACHED_LENGTH = 32  # characters; longer tokens (URLs, unspaced scripts) hardly repeat


def folded(text: str) -> str:
    """Lower-case words without diacritics, with single spaces between; "" when there is no word."""
    if text.isascii():
        return _fold(text)  # words end at its spaces in any case
    parts = [
        _cached(token) if len(token) <= _CACHED_LENGTH else _fold(token) for token in text.split()
    ]
    return " ".join(part for part in parts if part)


def query_words(text: str) -> list[str]:
    """The distinct words that a post must hold to be found, in the order of `text`."""
    return list(dict.fromkeys(folded(text).split()))


def _fold(token: str) -> str:
    if token.isascii():
        found = _ASCII_WORD.findall(token.lower())
    else:
        plain = _MARKS.sub("", unicodedata.normalize("NFKD", token))
        plain = unicodedata.normalize("NFC", plain.casefold().translate(_LETTERS))
        found = _WORD.findall(plain)
    return " ".join([_TEENCODE.get(word, word[:MAX_WORD]) for word in found])


_cached = lru_cache(_CACHED_WORDS)(_fold)
