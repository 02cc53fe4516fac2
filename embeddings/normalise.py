"""Social text made comparable: `clean` for reading and encoding, `fold` for matching without
diacritics.

Both are idempotent on their own output and cheap for ASCII text, which skips every Unicode step.
"""

from __future__ import annotations

import re
import unicodedata

# Tokens that `embeddings.mask` writes, and the placeholders of corpora that others masked.
MASK_TOKENS = ("phone", "email", "id", "account", "plate", "user")

_LINK = re.compile(r"(?:https?://|www\.|pic\.twitter\.com/)\S*", re.I)
# Links without a scheme, "bit.ly/abc": the second pattern is looked for only where the first is
# found.
_BARE_SIGN = re.compile(r"\.(?:com|vn|ly|me|co|gl|tt|gd|it|tv|be|am|net|org)/", re.I)
_BARE_LINK = re.compile(
    r"(?<![\w-])[\w-]{2,20}(?:\.[\w-]{1,20}){0,2}\.(?:com|vn|ly|me|co|gl|tt|gd|it|tv|be|am|net|org)/\S*",
    re.I,
)
_RESHARE = re.compile(
    r"\s*(?:(?:rt|mt|fwd?|fw)\b\s*:?(?=\s|@|\[|\")(?:\s*(?:[@＠][\w.]+|\[user\])\s*:?)?"
    r"|(?:chuyển tiếp|chia sẻ lại|forwarded(?: message)?)\s*:)\s*",
    re.I,
)
_MENTION = re.compile(r"(?:\bvia\s+)?[@＠][\w.]+")
_TOKEN = re.compile(
    r"(?:\bvia\s+)?(?:\[(?:" + "|".join(MASK_TOKENS) + r")\]|<(?:url|phone|email|user)>)", re.I
)
_HASHTAG = re.compile(r"#(\w+)")
_HUMP = re.compile(
    r"(?<=[^\W\d_A-Z])(?=[A-Z0-9])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=\d)(?=[^\W\d_])|(?<=[A-Z])(?=\d)"
)
# Letters only: repeated digits are numbers.
_STRETCH = re.compile(r"([^\W\d_])\1{2,}")
_TRIPLES = [letter * 3 for letter in "abcdefghijklmnopqrstuvxyz"]  # "www" begins links
_ACCENTED_TRIPLE = re.compile("([\u00df-\u00f6\u00f8-\u024f\u0370-\u052f\u1e00-\u1eff])\\1\\1")
# What stands invisibly between letters: soft hyphen, zero-width characters, direction marks. The
# joiners U+200C/D stay inside words that need them (Persian, Indic); emoji sequences do not matter
# to words.
_INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u2060\ufeff\u202a-\u202e\u2066-\u2069]+")


def clean(text: str) -> str:
    """Lower-case text without reshare marks, links, mentions and mask tokens; hashtags split into
    words.

    Diacritics stay (NFKC); letters repeated three times or more become one; white space is single.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))
    while mark := _RESHARE.match(text):
        if mark.end() == 0:
            break
        text = text[mark.end() :]
    if "://" in text or "ww." in text or "WW." in text or ".com/" in text:
        text = _LINK.sub(" ", text)
    if "/" in text and _BARE_SIGN.search(text):
        text = _BARE_LINK.sub(" ", text)
    if "[" in text or "<" in text:
        text = _TOKEN.sub(" ", text)
    if "@" in text or "＠" in text:
        text = _MENTION.sub(" ", text)
    if "#" in text:
        text = _HASHTAG.sub(_split_hashtag, text)
    text = text.lower()
    if _is_stretched(text):
        text = _STRETCH.sub(_shrink, text)
    return " ".join(text.split())


def _is_stretched(text: str) -> bool:
    """Cheaper than the pattern itself, which tries every letter against its neighbour."""
    for triple in _TRIPLES:
        if triple in text:
            return True
    return not text.isascii() and _ACCENTED_TRIPLE.search(text) is not None


def _split_hashtag(found: re.Match[str]) -> str:
    return " " + _HUMP.sub(" ", found[1]).replace("_", " ") + " "


def _shrink(found: re.Match[str]) -> str:
    """One letter for a stretched one; none where the letter before is the same with a tone
    ("quáaaa")."""
    before = found.string[found.start() - 1] if found.start() else ""
    if before and not before.isascii() and before.translate(_FOLD) == found[1]:
        return ""
    return found[1]


def _fold_table() -> dict[int, str | None]:
    """Latin and Greek letters to their base letter, combining marks to nothing. Other scripts keep
    their marks: in Indic and Thai writing these are vowels, not accents."""
    table: dict[int, str | None] = dict.fromkeys(range(0x300, 0x370))
    for code in (*range(0xC0, 0x250), *range(0x370, 0x400), *range(0x1E00, 0x2000)):
        base = unicodedata.normalize("NFD", chr(code))[0]
        if base != chr(code):
            table[code] = base
    table |= {ord(a): b for a, b in zip("đĐøØłŁıħŧ", "dDoOlLiht", strict=True)}
    table |= {ord("ß"): "ss", ord("æ"): "ae", ord("œ"): "oe", ord("ё"): "е", ord("’"): "'"}
    # Punctuation of good typesetting, so that most texts become ASCII, which is faster from here
    # on.
    table |= {ord(a): b for a, b in zip("“”„‘–—•·«»", '"""\'--..""', strict=True)}
    # Arabic short vowels and the stretching sign are optional in writing.
    table |= dict.fromkeys([0x640, *range(0x64B, 0x653)])
    return table


_FOLD = _fold_table()


def fold(text: str) -> str:
    """The text without diacritics ("đ" is "d"), for matching posts written with and without them.

    Expects the output of `clean`; any other text is folded too, its case kept.
    """
    return text if text.isascii() else text.translate(_FOLD)
