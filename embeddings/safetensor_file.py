"""Reading and writing safetensors files with numpy alone, so that the runtime needs no more.

Layout after https://github.com/huggingface/safetensors (format section): eight bytes of header
length (little endian), a JSON header, then the raw little-endian arrays.
"""

from __future__ import annotations

import json
import mmap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

_TYPES: dict[str, str] = {
    "I8": "<i1", "U8": "<u1", "I16": "<i2", "U16": "<u2", "I32": "<i4", "U32": "<u4",
    "I64": "<i8", "U64": "<u8", "F16": "<f2", "F32": "<f4", "F64": "<f8",
}  # fmt: skip
_NAMES = {np.dtype(code): name for name, code in _TYPES.items()}
MAX_HEADER_BYTES = 1 << 20  # ours are under 1 kB; a larger length means a damaged file


class SafetensorError(ValueError):
    """The file is not a readable safetensors file."""


def read_arrays(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Memory-mapped, read-only arrays by name, and the file's metadata.

    Raises SafetensorError when the file is truncated, damaged or of an unknown type.
    """
    with path.open("rb") as file:
        size = file.seek(0, 2)
        if size < 8:
            raise SafetensorError(f"{path.name} holds {size} bytes, no header")
        view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    length = int.from_bytes(view[:8], "little")
    if length > min(MAX_HEADER_BYTES, size - 8):
        raise SafetensorError(f"{path.name} has a header longer than the file allows")
    try:
        header: dict[str, Any] = json.loads(bytes(view[8 : 8 + length]))
        metadata: dict[str, str] = header.pop("__metadata__", {})
        body = view[8 + length :]
        arrays = {name: _array(body, entry) for name, entry in header.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SafetensorError(f"{path.name} has an unreadable header ({error})") from error
    return arrays, metadata


def _array(body: memoryview, entry: dict[str, Any]) -> np.ndarray:
    start, end = entry["data_offsets"]
    dtype = np.dtype(_TYPES[entry["dtype"]])
    shape = tuple(entry["shape"])
    if not 0 <= start <= end <= len(body) or end - start != dtype.itemsize * int(np.prod(shape)):
        raise SafetensorError("array bounds do not fit the file")
    return np.frombuffer(body[start:end], dtype).reshape(shape)


def write_arrays(
    path: Path, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str] | None = None
) -> None:
    """Write ``arrays`` in the order given; equal input gives equal bytes."""
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    offset = 0
    blobs: list[bytes] = []
    for name, array in arrays.items():
        blob = np.ascontiguousarray(array).tobytes()
        header[name] = {
            "dtype": _NAMES[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [offset, offset + len(blob)],
        }
        blobs.append(blob)
        offset += len(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # arrays start at a multiple of eight, as the format asks
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.writelines(blobs)
