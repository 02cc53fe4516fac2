"""Checkpoints in files of one folder, for a single machine.

A file per fold, partition and slot: a header of 64 bytes, then the state. It is written beside its
place, flushed to the disk and renamed, so that a crash leaves the old file or the new one.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from streams.checkpoints.base import (
    SLOTS,
    Checkpoint,
    CheckpointDamaged,
    CheckpointError,
    Claim,
    check_place,
    digest,
    not_claimed,
    taken_over,
)

_MAGIC = b"TINDONC1"
_HEADER = struct.Struct(">8sQqQ32s")  # magic, generation, offset, bytes of state, digest


@dataclass(frozen=True)
class _Header:
    generation: int
    offset: int
    size: int
    digest: bytes


class DiskCheckpoints:
    """CheckpointStore in a folder; processes of one machine may share it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.damaged = 0
        self._claims: dict[tuple[str, int], Claim] = {}

    async def start(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise self._error("write to", exc) from exc

    async def stop(self) -> None:
        self._claims.clear()

    async def save(self, fold: str, partition: int, offset: int, blob: bytes) -> None:
        claim = self._claims.get((fold, partition))
        if claim is None or claim.lost:
            raise not_claimed(fold, partition)
        await asyncio.to_thread(self._save, claim, fold, partition, offset, blob)

    async def load(self, fold: str, partition: int) -> Checkpoint | None:
        check_place(fold, partition)
        return await asyncio.to_thread(self._load, fold, partition)

    def _save(self, claim: Claim, fold: str, partition: int, offset: int, blob: bytes) -> None:
        generation = claim.generation + 1
        header = _HEADER.pack(
            _MAGIC, generation, offset, len(blob), digest(generation, offset, blob)
        )
        try:
            with self._locked(fold, partition):
                if self._highest(fold, partition) > claim.generation:
                    claim.lost = True
                    raise taken_over(fold, partition)
                _replace(self._path(fold, partition, claim.slot), header, blob)
        except OSError as exc:
            raise self._error("write to", exc) from exc
        claim.saved()

    def _load(self, fold: str, partition: int) -> Checkpoint | None:
        whole: dict[int, Checkpoint] = {}
        damaged = []
        try:
            with self._locked(fold, partition):
                highest = self._highest(fold, partition)
                for slot in range(SLOTS):
                    path = self._path(fold, partition, slot)
                    if path.exists():
                        checkpoint = _read(path)
                        if checkpoint is None:
                            damaged.append(path)
                        else:
                            whole[slot] = checkpoint
        except OSError as exc:
            raise self._error("read", exc) from exc
        self.damaged += len(damaged)
        if damaged and not whole:
            raise CheckpointDamaged(
                f"no whole checkpoint of fold {fold}, partition {partition}: restore {damaged[0]} "
                "from a backup, or remove it to fold from the log's beginning"
            )
        newest = max(whole, key=lambda slot: whole[slot].generation, default=1)
        self._claims[fold, partition] = Claim(1 - newest, highest)
        return whole.get(newest)

    def _highest(self, fold: str, partition: int) -> int:
        """Highest generation that stands in a readable header; 0 without any."""
        paths = (self._path(fold, partition, slot) for slot in range(SLOTS))
        headers = (_header(path) for path in paths)
        return max((header.generation for header in headers if header is not None), default=0)

    def _path(self, fold: str, partition: int, slot: int) -> Path:
        return self.folder / f"{fold}-{partition}.{slot}"

    @contextmanager
    def _locked(self, fold: str, partition: int) -> Iterator[None]:
        with (self.folder / f"{fold}-{partition}.lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def _error(self, verb: str, exc: OSError) -> CheckpointError:
        return CheckpointError(
            f"cannot {verb} the checkpoint folder {self.folder} ({exc.strerror}): "
            "free space there, or choose another folder"
        )


def _replace(path: Path, header: bytes, blob: bytes) -> None:
    partial = path.with_suffix(path.suffix + ".partial")
    with partial.open("wb") as handle:
        handle.write(header)
        handle.write(blob)
        handle.flush()
        os.fsync(handle.fileno())
    partial.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # makes the rename itself durable
    finally:
        os.close(folder)


def _header(path: Path) -> _Header | None:
    try:
        with path.open("rb") as handle:
            packed = handle.read(_HEADER.size)
    except FileNotFoundError:
        return None
    if len(packed) < _HEADER.size:
        return None
    magic, generation, offset, size, check = _HEADER.unpack(packed)
    return _Header(generation, offset, size, check) if magic == _MAGIC else None


def _read(path: Path) -> Checkpoint | None:
    """The checkpoint in a file, or None when it is not what was written."""
    header = _header(path)
    if header is None:
        return None
    with path.open("rb") as handle:
        handle.seek(_HEADER.size)
        blob = handle.read()
    whole = len(blob) == header.size and header.digest == digest(
        header.generation, header.offset, blob
    )
    return Checkpoint(header.offset, blob, header.generation) if whole else None
