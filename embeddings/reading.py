"""What is read off a text, once for all posts that say it: most posts of a busy stream are copies.

Caches of pure functions: what they hold changes no result. Two generations, so that a text that
keeps coming stays and memory is bounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Generic, Protocol, TypeVar

import numpy as np

from embeddings import language
from embeddings.features import features, words_of

GENERATION = 4_096
"""Texts of a generation. What the door keeps in its two or three caches is some 20 MB with 256 dense
dimensions. With twice as many, one text in 150 less is read again, and no time is won."""

CACHED_CHARS = 600
"""Longer texts are read each time: they seldom come again, and would fill the memory."""

NOT_YET = b"not yet"
"""This very object stands for what is computed later, with others."""

V = TypeVar("V")


class DenseEncoder(Protocol):
    """What the door needs of an encoder; see `embeddings.load_encoder`."""

    @property
    def dim(self) -> int: ...

    @property
    def identity(self) -> str: ...

    def encode(self, texts: list[str], /) -> np.ndarray: ...


class Recent(Generic[V]):
    """The values of recently used texts: at least the last GENERATION of them, at most twice that."""

    def __init__(self, generation: int = GENERATION) -> None:
        self._generation = generation
        self._young: dict[str, V] = {}
        self._old: dict[str, V] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def get(self, text: str) -> V | None:
        value = self._young.get(text)
        if value is None and (value := self._old.pop(text, None)) is not None:
            self.put(text, value)
        return value

    def put(self, text: str, value: V) -> None:
        if len(text) > CACHED_CHARS:
            return
        if len(self._young) >= self._generation:
            self._old, self._young = self._young, {}
        self._young[text] = value


class Reading:
    """A cleaned text and what follows from it alone."""

    __slots__ = (
        "_language", "category", "cleaned", "counts", "dense", "flags", "folded", "harm", "hashes",
        "sure", "topics", "wording",
    )  # fmt: skip

    def __init__(
        self, cleaned: str, folded: str, wording: int, flags: int, topics: dict[str, int]
    ) -> None:
        self.cleaned = cleaned  # with diacritics, for the encoder
        self.folded = folded  # without, for the features
        self.wording = wording
        self.flags = flags
        self.topics = topics  # category -> different words of it
        self.category = ""  # not yet decided, see `embeddings.categories`
        self.sure = 0  # percent
        self.harm = 0  # Flag.HARM if its category is one of harm
        self._language: str | None = None
        # As bytes, which take a third of the memory of so small arrays, and are joined faster:
        self.hashes = NOT_YET  # uint32 (m,), ascending
        self.counts = NOT_YET  # uint8 (m,)
        self.dense = NOT_YET  # float32 (d,)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reading) and other.cleaned == self.cleaned

    def __hash__(self) -> int:
        return hash(self.cleaned)

    def __repr__(self) -> str:
        return f"Reading({self.cleaned!r})"

    @property
    def language(self) -> str:
        """ISO 639-1 code as `language.detect` has it; asked for where a source states none."""
        if self._language is None:
            self._language = language.detect(self.cleaned, words_of(self.folded))
        return self._language


def add_features(readings: Iterable[Reading]) -> None:
    """Give the readings their hashed features, those that have none yet in one go."""
    new = list({id(r): r for r in readings if r.hashes is NOT_YET}.values())
    ends, hashes, counts = features([r.folded for r in new])
    start = 0
    for reading, end in zip(new, ends.tolist(), strict=True):
        reading.hashes = hashes[start:end].tobytes()
        reading.counts = counts[start:end].tobytes()
        start = end


def add_dense(readings: Iterable[Reading], encoder: DenseEncoder) -> None:
    """Give the readings their dense rows, those that have none yet in one go."""
    new = list({id(r): r for r in readings if r.dense is NOT_YET}.values())
    if new:
        rows = encoder.encode([r.cleaned for r in new])
        for reading, row in zip(new, rows, strict=True):
            reading.dense = row.astype(np.float32).tobytes()


def dense_of(readings: Sequence[Reading]) -> np.ndarray:
    """Their dense rows, float32 (n, d); read-only."""
    rows = np.frombuffer(b"".join([r.dense for r in readings]), np.float32)
    return rows.reshape(len(readings), -1)


_DIGITS = "0123456789 .-–—_()+\u00a0"


def cut(text: str, size: int) -> str:
    """At most `size` characters, without the word and the digits that the end may have cut through.

    Half a number would pass the mask. A word of more than 64 characters is given up on and cut.
    """
    if len(text) <= size:
        return text
    end = size
    while end > max(0, size - 64) and not text[end].isspace():
        end -= 1
    return text[:end].rstrip(_DIGITS)
