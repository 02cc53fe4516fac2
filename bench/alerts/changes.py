"""The changes that a file's posts give, kept so that the alert fold can run over them many times."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from agents.feeding import with_ticks
from agents.stages import cluster_fold, door_for, encoder_for
from config import Settings
from embeddings.door import build_frame
from streams.codec import decode, encode
from streams.records import Change
from streams.sources.files import read_files
from streams.validation import Tick

BATCH = 512  # entries of a frame; changes nothing but speed


class Source(NamedTuple):
    """A file of posts, and the rate for posts without a time (posts/h)."""

    path: str
    assume_rate: float | None = None

    @property
    def name(self) -> str:
        return Path(self.path).name.split(".")[0]


def changes(source: Source, settings: Settings, cache: Path) -> Iterator[Change]:
    """The cluster fold's changes over a file; from the cache when these settings gave them before."""
    covered = (source, settings.intake, settings.embed, settings.cluster, settings.time)
    key = hashlib.blake2b(repr(covered).encode(), digest_size=8).hexdigest()
    kept = cache / f"{source.name}-{key}.changes"
    if not kept.exists():
        cache.mkdir(parents=True, exist_ok=True)
        half = kept.with_suffix(".half")
        with open(half, "wb") as file:
            for change in _folded(source, settings):
                value = encode(change)
                file.write(len(value).to_bytes(8, "little") + value)
        half.rename(kept)
    with open(kept, "rb") as file:
        while size := file.read(8):
            yield decode(file.read(int.from_bytes(size, "little")), Change)


def _folded(source: Source, settings: Settings) -> Iterator[Change]:
    door = door_for(settings, encoder_for(settings), replay=True)
    fold = cluster_fold(settings, door)
    reading = read_files(
        [source.path], as_is=False, assume_rate=source.assume_rate, rules=door.rules
    )
    entries = []
    first = 0
    for entry in with_ticks(reading.checked(), int(settings.time.replay_tick_s * 1000)):
        entries.append(Tick(entry.tick or 0) if entry.record is None else entry.record)
        if len(entries) == BATCH:
            yield from _fold(door, fold, entries, first)
            first += len(entries)
            entries = []
    yield from _fold(door, fold, entries, first)


def _fold(door, fold, entries, first):
    numbered = list(enumerate(entries, start=first))
    return fold.fold(build_frame(door, numbered, origin="bench", partition=0).frame)
