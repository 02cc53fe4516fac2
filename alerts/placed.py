"""The posts of a rumor by their place in the folded order: packed, for a rumor keeps those of all its life
and few are ever asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

_encoder = msgspec.msgpack.Encoder()
_decode = msgspec.msgpack.Decoder(list[tuple[int, str]]).decode


class Placed:
    """(place, post id) of each post, in the order in which the rumor took them up."""

    __slots__ = ("_packed", "count")

    def __init__(self, posts: Iterable[tuple[int, str]] = ()) -> None:
        self.count = 0
        self._packed = bytearray()  # one after another, as msgpack has them in an array
        for place, post_id in posts:
            self.add(place, post_id)

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[tuple[int, str]]:
        return iter(_decode(self.as_array()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Placed) and other._packed == self._packed

    def __repr__(self) -> str:
        return f"Placed({list(self)})"

    __hash__ = None  # type: ignore[assignment]  # it changes

    def add(self, place: int, post_id: str) -> None:
        _encoder.encode_into((place, post_id), self._packed, -1)
        self.count += 1

    def extend(self, other: Placed) -> None:
        """Another rumor's posts after these."""
        self._packed += other._packed
        self.count += other.count

    def as_array(self) -> msgspec.Raw:
        """All of them, as the msgpack of a list of pairs."""
        n = self.count
        if n < 16:
            head = bytes([0x90 | n])
        elif n < 1 << 16:
            head = b"\xdc" + n.to_bytes(2, "big")
        else:
            head = b"\xdd" + n.to_bytes(4, "big")
        return msgspec.Raw(head + self._packed)
