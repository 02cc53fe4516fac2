"""Records of the embedded road's logs."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from streams.codec import CodecError

T = TypeVar("T")


def decoded(decoder: msgspec.msgpack.Decoder[T], value: bytes) -> T:
    """A record of one of the road's logs. Raises CodecError."""
    try:
        return decoder.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise CodecError("a record of the log does not fit its form") from None
