"""A file's or pipe's bytes as numbered lines: gzip undone, order mark dropped, sizes bounded."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

STDIN = "-"
CHUNK_BYTES = 1 << 18
GZIP_MAGIC = b"\x1f\x8b"
UTF8_MARK = b"\xef\xbb\xbf"


class FileError(ValueError):
    """A file that cannot be read as posts at all; one line that says why and the mend."""


class Line(NamedTuple):
    number: int  # from 1
    text: bytes  # without its line feed; cut if `size` is over the limit
    size: int  # bytes, of the whole line


class LineFile:
    """One input: opened and looked at first, its lines read later.

    `label` is what messages and records call it. `broken` says, once the lines are read, why the
    compressed data ended early; the last line is then a piece of one.
    """

    def __init__(self, name: str, max_bytes: int, stdin: BinaryIO | None = None) -> None:
        self.name = name
        self.label = "stdin" if name == STDIN else Path(name).name
        self.broken: str | None = None
        self._max_bytes = max_bytes
        self._stdin = stdin
        self._raw: BinaryIO | None = None
        self._chunks: Iterator[bytes] = iter(())

    def open(self) -> bytes:
        """Read its beginning, and return it; raises FileError when the whole file is of no use."""
        self._raw = self._stream()
        chunks = self._decompressed(self._read())
        first = next(chunks, b"")
        while first and not first.strip() and (more := next(chunks, b"")):
            first += more  # the first line of substance decides what the file is
        if not first.removeprefix(UTF8_MARK).strip():
            if self.broken:
                raise FileError(f"{self.name}: {self.broken}: download or copy it again")
            raise FileError(f"{self.name} is empty: it holds no record")
        if first[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise FileError(f"{self.name} is UTF-16: save it as UTF-8")
        if first[:4] == b"PK\x03\x04":
            raise FileError(f"{self.name} is a zip archive: unpack it first")
        first = first.removeprefix(UTF8_MARK)
        self._chunks = _chain(first, chunks)
        return first

    def close(self) -> None:
        """Let the file go; standard input stays open."""
        if self._raw is not None and self.name != STDIN:
            self._raw.close()

    def lines(self) -> Iterator[Line]:
        """Its lines; at most the limit and a chunk of one is held in memory."""
        limit = self._max_bytes
        number = 1
        size = 0  # of the unfinished line, in whole
        pending: list[bytes] = []
        for chunk in self._chunks:
            pieces = chunk.split(b"\n")
            for piece in pieces[:-1]:
                if pending:
                    size += len(piece)
                    pending.append(piece if size <= limit + 1 else b"")
                    yield Line(number, b"".join(pending), size)
                    pending, size = [], 0
                else:
                    yield Line(number, piece, len(piece))
                number += 1
            if last := pieces[-1]:
                if size <= limit:
                    pending.append(last)
                size += len(last)
        if pending:
            yield Line(number, b"".join(pending), size)

    def _stream(self) -> BinaryIO:
        if self.name == STDIN:
            return self._stdin or sys.stdin.buffer
        try:
            return open(self.name, "rb", buffering=0)
        except FileNotFoundError:
            raise FileError(f"{self.name} does not exist: check the path") from None
        except IsADirectoryError:
            raise FileError(f"{self.name} is a folder: name the files in it") from None
        except OSError as error:
            why = error.strerror
            raise FileError(
                f"{self.name} cannot be opened ({why}): check its permissions"
            ) from None

    def _read(self) -> Iterator[bytes]:
        assert self._raw is not None
        # read1: what a pipe has, without waiting for more
        read = getattr(self._raw, "read1", self._raw.read)
        while True:
            try:
                chunk = read(CHUNK_BYTES)
            except OSError as error:
                why = error.strerror
                raise FileError(f"{self.name} cannot be read ({why}): check the disk") from None
            if not chunk:
                return
            yield chunk

    def _decompressed(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        first = next(chunks, b"")
        while 0 < len(first) < len(GZIP_MAGIC) and (more := next(chunks, b"")):
            first += more
        if first.startswith(GZIP_MAGIC):
            yield from self._gunzip(_chain(first, chunks))
            return
        if first and self.name.endswith(".gz"):
            raise FileError(
                f"{self.name} is not gzip in spite of its name: rename it or compress it"
            )
        yield from _chain(first, chunks)

    def _gunzip(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Decompressed chunks; where the data breaks off, what came before stands."""
        machine = zlib.decompressobj(wbits=31)
        for chunk in chunks:
            while chunk:
                if machine.eof:  # another member, or the zero padding that tapes and tools add
                    chunk = chunk.lstrip(b"\0")
                    if not chunk:
                        break
                    machine = zlib.decompressobj(wbits=31)
                try:
                    data = machine.decompress(chunk, CHUNK_BYTES)
                    while data:
                        yield data
                        data = machine.decompress(machine.unconsumed_tail, CHUNK_BYTES)
                except zlib.error as error:
                    self.broken = f"the gzip data is damaged ({' '.join(str(error).split())})"
                    return
                chunk = machine.unused_data
        if not machine.eof:
            self.broken = "the gzip data ends early"


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from rest
