"""Hashed lexical features of a post: the door's half of the `Sketch`, counts without weights.

Which features, from the measurements in docs/intake.md: every word of two or more characters; pairs
of neighbouring short words, since a Vietnamese word is mostly two short syllables; character
4-grams of long words, for endings and typos; character pairs in scripts that write without spaces.
Weights are the cluster fold's, because they depend on the stream.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Sequence

import numpy as np

FEATURES_VERSION = 1  # changes when the same text may give other hashes

MAX_CHARS = (
    600  # of cleaned text; a post of 820 characters cost 1.6 ms uncut, and says its claim early
)
PAIR_CHARS = 4  # neighbouring words up to this length form a pair
GRAM_CHARS = 4
GRAM_FROM = 5  # words from this length on give character 4-grams
CACHE_WORDS = 1 << 16  # about 15 MB at most; emptied when full, which changes no result

# Letters and digits, with the vowel signs that Python does not count as letters in the scripts of
# South and Southeast Asia; an apostrophe inside a word belongs to it.
_MARKS = (
    "\u0300-\u036f\u0900-\u0963\u0966-\u0df3\u0e31-\u0e4e\u0eb1-\u0ece"
    "\u0f71-\u0fbc\u102b-\u109d\u1780-\u17d3\u200c\u200d"
)
_ASCII_WORD = re.compile(r"[a-z0-9]+(?:'[a-z0-9]+)?")
_WORD = re.compile(rf"[^\W_]+(?:[{_MARKS}]+[^\W_]*)*(?:['’][^\W_]+)?")
# Han, kana, hangul: no spaces, or words of two to four characters.
_DENSE_SCRIPT = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]")


def words_of(folded: str) -> list[str]:
    """The words of a cleaned, folded text, in order."""
    return (_ASCII_WORD if folded.isascii() else _WORD).findall(folded)


def wording(words: Sequence[str]) -> int:
    """64-bit hash of the words in order: equal for reshares and for the same text without
    diacritics; 0 for none."""
    if not words:
        return 0
    digest = hashlib.blake2b(
        " ".join(words).encode("utf-8", "surrogatepass"), digest_size=8
    ).digest()
    return int.from_bytes(digest, "little") or 1


def shortened(folded: str) -> str:
    """At most MAX_CHARS characters, cut at a space if there is one."""
    if len(folded) <= MAX_CHARS:
        return folded
    cut = folded.rfind(" ", 0, MAX_CHARS + 1)
    return folded[: cut if cut > 0 else MAX_CHARS]


def _word_features(word: str) -> list[str]:
    if len(word) < 2:
        return [word] if _DENSE_SCRIPT.match(word) else []
    features = [word]
    if _DENSE_SCRIPT.search(word):
        features += ["%" + word[i : i + 2] for i in range(len(word) - 1)]
    elif len(word) >= GRAM_FROM:
        framed = f"<{word}>"
        features += ["%" + framed[i : i + GRAM_CHARS] for i in range(len(framed) - GRAM_CHARS + 1)]
    return features


_cache: dict[str, bytes] = {}  # word -> hashes of its own features, four bytes each


def _hashes(folded: str) -> bytes:
    """Hashes of all features, four bytes each."""
    found: list[bytes] = []
    cache = _cache
    before: bytes | None = None  # the word before, if it is short
    for word in words_of(shortened(folded)):
        own = cache.get(word)
        if own is None:
            if len(cache) >= CACHE_WORDS:
                cache.clear()
            own = cache[word] = b"".join(map(_hash, map(_encoded, _word_features(word))))
        found.append(own)
        size = len(word)
        if size > PAIR_CHARS:
            before = None
        elif size > 1:  # single letters take part in nothing, and pairs reach over them
            short = _encoded(word)
            if before is not None:
                found.append(_hash(before + b"_" + short))
            before = short
    return b"".join(found)


def _encoded(feature: str) -> bytes:
    return feature.encode("utf-8", "surrogatepass")


def _hash(feature: bytes) -> bytes:
    return zlib.crc32(feature).to_bytes(4, "little")


def features(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features of n cleaned, folded texts: (ends int64 (n,), hashes uint32 (m,), counts uint8
    (m,)).

    Text i has hashes[ends[i-1]:ends[i]], ascending and distinct, with their occurrences (at most
    255). The same for a text whatever stands beside it, and in every process: crc32 of the
    feature's UTF-8.
    """
    lists = [_hashes(text) for text in texts]
    sizes = [len(one) // 4 for one in lists]
    flat = np.frombuffer(b"".join(lists), "<u4")
    rows = np.repeat(np.arange(len(lists), dtype=np.uint64), sizes)
    keys, counts = np.unique((rows << np.uint64(32)) | flat, return_counts=True)
    ends = np.searchsorted(keys, np.arange(1, len(lists) + 1, dtype=np.uint64) << np.uint64(32))
    return (
        ends.astype(np.int64),
        (keys & np.uint64(0xFFFFFFFF)).astype(np.uint32),
        np.minimum(counts, 255).astype(np.uint8),
    )
