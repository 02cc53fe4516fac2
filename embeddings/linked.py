"""Texts that differ in their links alone: what stands between links is masked and read once.

A link is masked by itself, and nothing of it is read. Shares of one text mostly bring a short link each
of their own, so no two are the same text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from embeddings.links import has_link, parted
from embeddings.mask import joined, masked
from embeddings.reading import Recent

_UNREAD = ("http://", "https://", "pic.twitter.com/")
"""How links begin that `normalise.clean` takes out whole."""

_SOME_LINK = "http://x"

R = TypeVar("R")


class Linked(Generic[R]):
    """Recent texts with links, by what stands between these; `read` reads a masked text."""

    def __init__(self, read: Callable[[str], R]) -> None:
        self._read = read
        self._known: Recent[tuple[list[str], R]] = Recent()

    def masked(self, text: str, most: int) -> tuple[str, R] | None:
        """A text with links, masked, and its reading; None where a link may matter to the reading, and
        for a text longer than `most` characters, which is cut before it is read."""
        if not has_link(text) or not _unread(parts := parted(text)):
            return None
        between = _SOME_LINK.join(parts[::2])
        known = self._known.get(between)
        if known is not None:
            parts[::2] = known[0]
            text = joined(parts)
            return (text, known[1]) if len(text) <= most else None
        parts = masked(parts)
        kept = parts[::2]
        text = joined(parts)
        if len(text) > most:
            return None
        reading = self._read(text)
        self._known.put(between, (kept, reading))
        return text, reading


def _unread(parts: list[str]) -> bool:
    """Whether each link leaves the text whole when it is cleaned: it stands free, and nothing in it turns
    into white space on the way."""
    for before, link in zip(parts[::2], parts[1::2], strict=False):
        if before and not before[-1].isspace():
            return False
        if not link.startswith(_UNREAD) or not link.isascii() or "%" in link:
            return False
    return True
