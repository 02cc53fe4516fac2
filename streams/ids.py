"""Ids that are pure functions of what they name, so that a second run and a second worker find the
same ones.

Each is a letter for its kind and 16 hex digits of blake2b. The parts are length-prefixed before
hashing: ("a", "bc") and ("ab", "c") differ. 64 bits: a billion ids collide with a chance of 3 %, a
million with 3e-8.
"""

from __future__ import annotations

import hashlib

_DIGEST_BYTES = 8


def _digest(kind: bytes, *parts: str) -> str:
    # surrogatepass: an id must never fail to hash, whatever a foreign producer sent
    pieces = [part.encode("utf-8", "surrogatepass") for part in parts]
    joined = b"".join(len(piece).to_bytes(4, "little") + piece for piece in pieces)
    return hashlib.blake2b(joined, digest_size=_DIGEST_BYTES, person=kind).hexdigest()


def micro_id(source: str, post_id: str) -> str:
    """Of a micro-cluster, by its first post: "m" and 16 hex digits."""
    return "m" + _digest(b"tindon.micro", source, post_id)


def rumor_id(source: str, post_id: str) -> str:
    """Of a rumor, by its first post: "r" and 16 hex digits."""
    return "r" + _digest(b"tindon.rumor", source, post_id)


def part_id(name: str, action: str) -> str:
    """Of what an analyst's action split off a rumor or a micro-cluster: the letter of its kind and 16
    hex digits."""
    return name[0] + _digest(b"tindon.part", name, action)


def event_id(rumor: str) -> str:
    """Of an event, by its oldest rumor: "e" and 16 hex digits."""
    return "e" + _digest(b"tindon.event", rumor)


def claim_id(source: str, key: str) -> str:
    """Of a known claim, by its source and its key there: "c" and 16 hex digits."""
    return "c" + _digest(b"tindon.claim", source, key)


def alert_id(rumor: str, ordinal: int) -> str:
    """Of a rumor's alert number `ordinal` (1, 2, ... as it is raised again): "a" and 16 hex
    digits."""
    return "a" + _digest(b"tindon.alert", rumor, str(ordinal))
