"""What a folder is a replay of: files, settings, encoder, and the program that finished it."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from pathlib import Path

import msgspec

from streams.codec import CodecError
from streams.sources.files import STDIN
from streams.sqlite_database import Database

RUN = "run"  # blob: what this folder is a replay of
PROGRAM = "program"  # blob: which program brought it to its end
APPLIED = "settings"  # log: the list of settings that were applied while it ran

_DECIDING = ("agents", "alerts", "clusters", "config", "embeddings", "streams")
"""Packages whose code and word lists decide what a replay says; a model has an identity of its own."""

_READ = 1 << 20  # bytes at a time


class RunMark(msgspec.Struct):
    """What a folder is a replay of, and whether it came to its end."""

    inputs: str
    settings: str
    encoder: str
    finished: bool


def mark_of(database: Database) -> RunMark | None:
    """What stands in a database about its replay; None before the first. Raises CodecError."""
    blob = database.get_blob(RUN)
    if blob is None:
        return None
    try:
        return msgspec.msgpack.decode(blob, type=RunMark)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise CodecError("its mark of what was replayed does not fit its form") from None


def put_mark(database: Database, mark: RunMark) -> None:
    """Write a mark; a finished one with the program that finished it."""
    if mark.finished:
        database.put_blob(PROGRAM, program().encode())
    database.put_blob(RUN, msgspec.msgpack.encode(mark))


def made_here(database: Database) -> bool:
    """Whether this very program finished the replay."""
    return database.get_blob(PROGRAM) == program().encode()


def fingerprint(paths: list[str], as_is: bool, assume_rate: float | None) -> str:
    """Fingerprint of the input files' contents and of what decides their order. Raises OSError."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(repr((as_is, assume_rate)).encode())
    for path in paths:
        digest.update(f"\0{path}\0".encode())
        if path != STDIN:
            with open(path, "rb") as file:
                while part := file.read(_READ):
                    digest.update(part)
    return digest.hexdigest()


def program() -> str:
    """The program's version, with a digest of what decides a replay: a developer's change counts."""
    home = Path(__file__).parents[1]
    digest = hashlib.blake2b(digest_size=16)
    for package in _DECIDING:
        for path in sorted((home / package).rglob("*")):
            if path.suffix in (".py", ".yaml", ".txt"):
                digest.update(f"\0{path.relative_to(home).as_posix()}\0".encode())
                digest.update(path.read_bytes())
    return f"{version('tindon')}/{digest.hexdigest()}"
