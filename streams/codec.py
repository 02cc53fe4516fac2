"""Bytes of frames, changes and checkpoints: msgpack with raw little-endian arrays, versioned and
checksummed.

A record is ``version (1 byte) | crc32 of the body (4 bytes) | body``; a checkpoint's state is
``magic (4 bytes) | version (1 byte) | body | blake2b-256 of all before``. A record's checksum is
the cheap one because every message carries it; a checkpoint's is the strong one because it lies on
disk for weeks. Damage anywhere is a `CodecError`, never a wrong value.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import msgspec
import numpy as np

from streams.records import WrongEncoder

RECORD_VERSION = 3  # 2: every kind of record names itself; 3: posts carry their category
STATE_VERSION = 1
STATE_MAGIC = b"TdSt"
STATE_DIGEST_BYTES = 32
MAX_DIMENSIONS = 4

PACKED_ITEMS = 512  # of a list that are packed at a time
PACKED_BYTES = 1 << 16  # arrays from this size on are not copied to be packed

_ARRAY = 1  # msgpack extension code of an array
_HEAD = struct.Struct("<BI")  # version, crc32
_NAMES = {
    np.dtype(name): np.dtype(name).str.encode("ascii")
    for name in ("?", "<i1", "<i2", "<i4", "<i8", "<u1", "<u2", "<u4", "<u8", "<f2", "<f4", "<f8")
}
_BY_NAME = {name: dtype for dtype, name in _NAMES.items()}
_LINE = struct.Struct("<BBQ")  # size of the type's name, 1 dimension, its length

T = TypeVar("T")


class CodecError(ValueError):
    """Bytes that are no record or state of ours: damaged, cut, or of another version. One line."""


def _pack_array(array: np.ndarray) -> msgspec.msgpack.Ext:
    return msgspec.msgpack.Ext(_ARRAY, b"".join(_array_parts(array)))


def _array_parts(array: np.ndarray) -> tuple[bytes, memoryview]:
    """What tells type and shape, and the values."""
    if array.ndim > MAX_DIMENSIONS:
        raise CodecError(
            f"an array of {array.ndim} dimensions cannot be written, at most {MAX_DIMENSIONS}"
        )
    name = _NAMES.get(array.dtype)
    if name is None:  # another byte order, or a type that is not written
        array = array.astype(array.dtype.newbyteorder("<"))
        name = _NAMES.get(array.dtype)
    if name is None:
        raise CodecError(
            f"an array of {array.dtype} cannot be written: only booleans, integers and floats"
        )
    if array.ndim == 1:
        head = _LINE.pack(len(name), 1, array.shape[0])
    else:
        head = struct.pack(f"<BB{array.ndim}Q", len(name), array.ndim, *array.shape)
    return head + name, np.ascontiguousarray(array).data


def _unpack_array(code: int, data: memoryview) -> np.ndarray:
    """A read-only array: a view of the message where its alignment allows, else a copy."""
    if code != _ARRAY:
        raise CodecError(f"unknown extension {code} in the message")
    try:
        name_size, ndim = data[0], data[1]
        start = 2 + 8 * ndim + name_size
        dtype = _BY_NAME[bytes(data[start - name_size : start])]
        array = np.frombuffer(data, dtype, offset=start)
        if ndim != 1:
            array = array.reshape(struct.unpack_from(f"<{ndim}Q", data, 2))
        elif _LINE.unpack_from(data)[2] != len(array):
            raise ValueError(f"{len(array)} values instead of {_LINE.unpack_from(data)[2]}")
    except (struct.error, IndexError, KeyError, ValueError) as error:
        raise CodecError(f"an array in the message is damaged ({error})") from None
    flags = array.flags
    if not flags.aligned:  # compiled loops downstream want aligned rows
        array = array.copy()
        flags = array.flags
    flags.writeable = False
    return array


def _to_wire(value: object) -> object:
    if isinstance(value, np.ndarray):
        return _pack_array(value)
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, np.floating):
        return float(value)
    if isinstance(value, np.bool_):
        return bool(value)
    raise CodecError(f"a {type(value).__name__} cannot be written")


def _from_wire(kind: type, value: object) -> object:
    if kind is np.ndarray and isinstance(value, np.ndarray):
        return value
    raise CodecError(f"expected {kind.__name__} in the message, found {type(value).__name__}")


_encoder = msgspec.msgpack.Encoder(enc_hook=_to_wire)
_decoders: dict[Any, msgspec.msgpack.Decoder[Any]] = {}


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except (OverflowError, TypeError, UnicodeEncodeError, RecursionError) as error:
        raise CodecError(f"the value cannot be written: {_one_line(error)}") from None


def _decoded(data: bytes | memoryview, kind: Any) -> Any:
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = msgspec.msgpack.Decoder(kind, ext_hook=_unpack_array, dec_hook=_from_wire)
        _decoders[kind] = decoder
    try:
        return decoder.decode(data)
    except CodecError:
        raise
    except (
        msgspec.DecodeError,
        UnicodeDecodeError,
        RecursionError,
        ValueError,
        TypeError,
    ) as error:
        raise CodecError(f"the message does not fit its form: {_one_line(error)}") from None


def encode(record: msgspec.Struct) -> bytes:
    """A frame, change or any other struct of `streams.records` as one message.

    Raises CodecError when a field holds what cannot be written (a big integer, an object array).
    """
    with _writing():
        body = _encoder.encode(record)
    return _HEAD.pack(RECORD_VERSION, zlib.crc32(body)) + body


def decode(message: bytes | memoryview, kind: type[T]) -> T:
    """The struct in a message of `encode`. Its arrays are read-only and may share the message's
    memory.

    Raises CodecError when the message is damaged, cut, of another version, or no `kind`.
    """
    if len(message) < _HEAD.size:
        raise CodecError(f"the message is cut: {len(message)} bytes")
    version, checksum = _HEAD.unpack_from(message)
    if version != RECORD_VERSION:
        raise CodecError(
            f"the message has version {version}, this program reads version {RECORD_VERSION}"
        )
    body = memoryview(message)[_HEAD.size :]
    if zlib.crc32(body) != checksum:
        raise CodecError("the message is damaged: its checksum does not match")
    value: T = _decoded(body, kind)
    return value


def pack_state(state: dict[str, Any]) -> bytes:
    """A fold's state as checkpoint bytes: nested dicts, lists, str, bytes, int (64 bit), float,
    bool, None, arrays.

    Dicts keep their insertion order, so that a restored fold walks them as the undisturbed one
    does: the bytes are a function of the state's content and order. Tuples come back as lists.
    Raises CodecError when a value cannot be written.
    """
    return b"".join(state_pieces(state))


def state_pieces(state: dict[str, Any]) -> Iterator[bytes | memoryview]:
    """What `pack_state` gives, piece by piece, for whoever writes them away at once: a large array is
    a piece as it lies there, and of a long list only a part is packed at a time."""
    _refuse_sets(state)
    digest = hashlib.blake2b(digest_size=STATE_DIGEST_BYTES)
    with _writing():
        for piece in _pieces(state):
            digest.update(piece)
            yield piece
    yield digest.digest()


def _pieces(state: dict[str, Any]) -> Iterator[bytes | memoryview]:
    yield STATE_MAGIC + bytes([STATE_VERSION])
    yield from _packed(state)


def _packed(value: Any) -> Iterator[bytes | memoryview]:
    if isinstance(value, dict) and any(isinstance(v, _LARGE) for v in value.values()):
        yield _sized(len(value), 0x80, 0xDE)
        for name, inner in value.items():
            yield _encoder.encode(name)
            yield from _packed(inner)
    elif isinstance(value, list) and len(value) > PACKED_ITEMS:
        yield _sized(len(value), 0x90, 0xDC)
        for at in range(0, len(value), PACKED_ITEMS):
            yield b"".join(map(_encoder.encode, value[at : at + PACKED_ITEMS]))
    elif isinstance(value, np.ndarray) and value.nbytes >= PACKED_BYTES:
        head, data = _array_parts(value)
        yield struct.pack(">BIB", 0xC9, len(head) + data.nbytes, _ARRAY) + head
        yield data.cast("B")
    else:
        yield _encoder.encode(value)


_LARGE = (dict, list, np.ndarray)


def _sized(size: int, short: int, long: int) -> bytes:
    """How msgpack begins a map or an array of so many."""
    if size < 16:
        return bytes([short | size])
    return struct.pack(">BH", long, size) if size < 1 << 16 else struct.pack(">BI", long + 1, size)


_CONTAINERS = frozenset({dict, list, tuple})


def _refuse_sets(value: Any) -> None:
    """Sets would be written, in an order that changes from process to process."""
    items = value.values() if isinstance(value, dict) else value
    kinds = set(map(type, items))
    if kinds & {set, frozenset}:
        raise CodecError("a set cannot be written, its order is chance: write a sorted list")
    if kinds & _CONTAINERS:
        for item in items:
            if type(item) in _CONTAINERS:
                _refuse_sets(item)


def unpack_state(data: bytes) -> dict[str, Any]:
    """The state in checkpoint bytes; its arrays are read-only. Raises CodecError when damaged, cut
    or foreign."""
    if not data.startswith(STATE_MAGIC):
        raise CodecError("these bytes are no checkpoint")
    if len(data) <= len(STATE_MAGIC) + 1 + STATE_DIGEST_BYTES:
        raise CodecError(f"the checkpoint is cut: {len(data)} bytes")
    version = data[len(STATE_MAGIC)]
    if version != STATE_VERSION:
        raise CodecError(
            f"the checkpoint has version {version}, this program reads version {STATE_VERSION}"
        )
    view = memoryview(data)
    head, digest = view[:-STATE_DIGEST_BYTES], view[-STATE_DIGEST_BYTES:]
    if hashlib.blake2b(head, digest_size=STATE_DIGEST_BYTES).digest() != digest:
        raise CodecError("the checkpoint is damaged or cut: its checksum does not match")
    state = _decoded(head[len(STATE_MAGIC) + 1 :], Any)
    if not isinstance(state, dict):
        raise CodecError(f"the checkpoint holds a {type(state).__name__} instead of a state")
    return state


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def check_head(state: dict[str, Any], *, fold: str, version: int, encoder: str) -> None:
    """What a fold asks of a snapshot before it takes it up.

    Raises CodecError for a snapshot of another version, WrongEncoder for one of another encoder.
    """
    if state["version"] != version:
        raise CodecError(
            f"the {fold} fold's state has version {state['version']}, "
            f"this program reads version {version}"
        )
    if state["encoder"] != encoder:
        raise WrongEncoder(
            f"the checkpoint was made with {state['encoder']}, "
            f"this fold works with {encoder}: "
            "set embed.encoder back, or start a new state"
        )
