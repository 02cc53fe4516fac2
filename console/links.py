"""Outside links and searched words, made safe and readable."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from stores.folding import folded, query_words

_TOKENS = re.compile(r"(\s+)")
_LONGEST_WORD = 32  # characters; a longer token is a sentence of a script without spaces


@dataclass(frozen=True)
class Link:
    host: str  # ASCII, so that a look-alike letter shows as xn--
    href: str


@dataclass(frozen=True)
class Piece:
    text: str
    found: bool


def outside_link(url: str | None) -> Link | None:
    """The link of a post, or None when it is not plain http(s): `javascript:` is never a link."""
    if not url:
        return None
    try:
        parts = urlsplit(url.strip())
        host = (parts.hostname or "").encode("idna").decode("ascii")
        port = parts.port
    except (ValueError, UnicodeError):
        return None
    if parts.scheme not in ("http", "https") or not host:
        return None
    return Link(host if port is None else f"{host}:{port}", url.strip())


def mark(text: str, query: str) -> list[Piece]:
    """`text` in pieces, those that the store matched with a word of `query` marked."""
    wanted = set(query_words(query))
    pieces: list[Piece] = []
    for token in _TOKENS.split(text):
        words = set(folded(token).split())
        if not words & wanted:
            _append(pieces, token, False)
        elif words <= wanted or len(token) <= _LONGEST_WORD:
            _append(pieces, token, True)
        else:
            for character in token:
                _append(pieces, character, folded(character) in wanted)
    return pieces


def _append(pieces: list[Piece], text: str, found: bool) -> None:
    if not text:
        return
    if pieces and pieces[-1].found == found and not found:
        pieces[-1] = Piece(pieces[-1].text + text, found)
    else:
        pieces.append(Piece(text, found))
