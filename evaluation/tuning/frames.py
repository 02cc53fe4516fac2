"""Embedded posts on disk: read, masked and embedded once, then folded as often as a study wants.

A file is a row of messages, each with its length before it. It is written beside its place and
renamed, so that what stands there is whole.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import TypeVar

import msgspec

from agents.feeding import with_ticks
from agents.stages import door_for, encoder_for
from config import Settings
from embeddings.door import Door, frame_of
from evaluation.errors import EvaluationError
from streams.codec import CodecError, decode, encode
from streams.sources.files import read_files
from streams.validation import Tick

ORIGIN = "posts"
CHUNK = 2_000
"""Entries in one frame. Folds do not depend on it."""

_LENGTH = struct.Struct("<I")
T = TypeVar("T", bound=msgspec.Struct)


class Reading(msgspec.Struct, frozen=True):
    """How labelled or unlabelled files are read, as `tindon replay` would."""

    paths: tuple[str, ...]
    assume_rate: float | None = None
    labels: str | None = None  # file of the desk's labels; None: the files' own


def door_of(settings: Settings) -> Door:
    """The embed stage of a replay. Raises EncoderError, KeyFileError."""
    return door_for(settings, encoder_for(settings), replay=True)


def embed(
    reading: Reading,
    settings: Settings,
    folder: Path,
    show: Callable[[int, int | None], None] | None = None,
) -> Path:
    """The frames of these files, out of `folder` if they are there; else made and put there.

    They are kept by the content of the files, the encoder's identity, the settings of the intake and
    the program's version. `show` is told posts so far and in all. Raises FileError, EncoderError,
    EvaluationError when no post is valid.
    """
    door = door_of(settings)
    path = folder / f"frames-{_key(reading, settings, door)}.bin"
    if path.is_file():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    write(path, _frames(reading, settings, door, show))
    return path


def _frames(
    reading: Reading,
    settings: Settings,
    door: Door,
    show: Callable[[int, int | None], None] | None,
) -> Iterator[msgspec.Struct]:
    records = read_files(list(reading.paths), assume_rate=reading.assume_rate, rules=door.rules)
    entries = with_ticks(records.checked(), int(settings.time.replay_tick_s * 1000))
    at = posts = valid = 0
    while chunk := list(islice(entries, CHUNK)):
        passed = [
            Tick(entry.tick or 0)
            if entry.record is None
            else door.admit(entry.record, entry.checked)
            for entry in chunk
        ]
        frame = frame_of(door, list(enumerate(passed, at)), origin=ORIGIN, partition=0).frame
        at += len(chunk)
        posts += sum(entry.record is not None for entry in chunk)
        valid += len(frame.posts)
        yield frame
        if show is not None:
            show(posts, records.total)
    if not valid:
        names = ", ".join(Path(path).name for path in reading.paths)
        raise EvaluationError(
            f"{names}: none of {posts:,} posts is valid; posts without time need --assume-rate N, "
            "and `tindon replay` tells the reasons of the others in dead.jsonl"
        )


def _key(reading: Reading, settings: Settings, door: Door) -> str:
    """16 hex digits over all that decides the frames."""
    digest = hashlib.sha256()
    intake = settings.intake.model_dump(mode="json", exclude={"pseudonym_key"})
    parts = (
        version("tindon"),
        door.identity,
        sorted(intake.items()),
        settings.time.replay_tick_s,
        reading.assume_rate,
        [Path(path).name for path in reading.paths],  # a source is named after its file
    )
    digest.update(repr(parts).encode())
    for path in reading.paths:
        try:
            with open(path, "rb") as file:
                while part := file.read(1 << 20):
                    digest.update(part)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise EvaluationError(f"{path}: {reason}; check the path") from None
        digest.update(b"\0")
    return digest.hexdigest()[:16]


def write(path: Path, messages: Iterable[msgspec.Struct]) -> None:
    """Write all messages, or leave nothing."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with unfinished.open("wb") as file:
            for message in messages:
                value = encode(message)
                file.write(_LENGTH.pack(len(value)))
                file.write(value)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def read(path: Path, kind: type[T]) -> Iterator[T]:
    """The messages of a file, in order. Raises EvaluationError when it is damaged."""
    try:
        with path.open("rb") as file:
            while head := file.read(_LENGTH.size):
                yield decode(file.read(*_LENGTH.unpack(head)), kind)
    except (OSError, CodecError, struct.error) as error:
        raise EvaluationError(
            f"{path} cannot be read ({error}): delete it, it is made again"
        ) from None


def names(paths: Sequence[str]) -> str:
    return ", ".join(Path(path).name for path in paths)
