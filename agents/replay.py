"""A replay: files of posts through the embedded road, and the files that it leaves."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from agents.embedded import EmbeddedRoad, Entry, Progress
from agents.replay_files import Totals, write_files
from agents.stages import stages
from config import Settings
from streams.codec import CodecError
from streams.sources.files import STDIN, read_files
from streams.sqlite_database import Database
from streams.time import EventTicks
from streams.validation import InputRecord, IntakeRules, Valid, check

CHUNK = 2_000
"""Records appended to the log and folded at a time."""

RUN = "run"  # blob: what this folder is a replay of


class ReplayError(Exception):
    """The replay cannot run; one line with the mend."""

    exit_code = 1


class ReplayOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How to read and how fast to go."""

    as_is: bool = False
    assume_rate: float | None = None
    speed: float | None = None  # times real time; None: as fast as it goes
    ahead_ms: int = 0  # event time at the start that is not waited for
    on_progress: Callable[[Progress, int | None], None] | None = None  # (counts, records in all)
    on_road: Callable[[EmbeddedRoad], None] | None = None  # once the road stands


class RunMark(msgspec.Struct):
    """What a folder is a replay of, and whether it came to its end."""

    inputs: str
    settings: str
    encoder: str
    finished: bool


def replay(
    paths: list[str], out: Path, settings: Settings, options: ReplayOptions
) -> dict[str, Any]:
    """Replay files into `out`; the summary. An interrupted replay of the same files goes on.

    Raises FileError, ReplayError, DatabaseError, EncoderError: each one line with the mend.
    """
    built = stages(settings, replay=True)
    started = time.monotonic()
    try:
        out.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise ReplayError(
            f"{out} is no folder, nor can it become one: give another --out"
        ) from None
    reading = read_files(
        paths, as_is=options.as_is, assume_rate=options.assume_rate, rules=built.door.rules
    )
    mark = RunMark(
        _fingerprint(paths, options), settings.sha256, built.door.identity, finished=False
    )
    with _database(out, mark) as database:
        road = EmbeddedRoad(database, built)
        if options.on_road is not None:
            options.on_road(road)
        road.catch_up(CHUNK)
        entries = with_ticks(reading, built.door.rules, int(settings.time.replay_tick_s * 1000))
        if STDIN not in paths:
            entries = _skip(entries, road.logged)
        for chunk in _chunks(entries, options):
            road.take(chunk)
            if options.on_progress is not None:
                options.on_progress(road.progress, reading.total)
        open_rumors = road.finish()
        totals = Totals(
            progress=road.progress,
            open_rumors=open_rumors,
            wall_s=time.monotonic() - started,
            settings_sha256=settings.sha256,
            encoder=built.door.identity,
        )
        summary = write_files(road, out, totals)
        database.put_blob(RUN, msgspec.msgpack.encode(msgspec.structs.replace(mark, finished=True)))
    return summary


def with_ticks(
    records: Iterable[InputRecord], rules: IntakeRules, period_ms: int
) -> Iterator[Entry]:
    """Records with the ticks that their own times call for, and the last one at the end."""
    ticks = EventTicks(period_ms)
    for record in records:
        checked = check(record, rules)
        if isinstance(checked, Valid):
            for at in ticks.before(checked.post.created_at):
                yield Entry(None, at)
        yield Entry(record, None, checked)
    for at in ticks.last():
        yield Entry(None, at)


def _skip(entries: Iterable[Entry], done: int) -> Iterator[Entry]:
    for number, entry in enumerate(entries):
        if number >= done:
            yield entry


def _chunks(entries: Iterable[Entry], options: ReplayOptions) -> Iterator[list[Entry]]:
    """Entries in portions; with a speed, each portion when its time has come."""
    pace = _Pace(options.speed, options.ahead_ms) if options.speed else None
    chunk: list[Entry] = []
    for entry in entries:
        if chunk and (len(chunk) == CHUNK or (pace is not None and pace.must_wait(entry))):
            yield chunk
            chunk = []
        if pace is not None:
            pace.wait(entry)
        chunk.append(entry)
    if chunk:
        yield chunk


class _Pace:
    """Event time against wall time, `speed` times as fast."""

    def __init__(self, speed: float, ahead_ms: int) -> None:
        self._speed = speed
        self._ahead = ahead_ms
        self._origin: tuple[int, float] | None = None

    def _due(self, entry: Entry) -> float:
        """Seconds until an entry is due; ticks wait for the post behind them."""
        if not isinstance(entry.checked, Valid):
            return 0.0
        at = entry.checked.post.created_at
        if self._origin is None:
            self._origin = (at + self._ahead, time.monotonic())
        first, started = self._origin
        return started + (at - first) / 1000.0 / self._speed - time.monotonic()

    def must_wait(self, entry: Entry) -> bool:
        return self._due(entry) > 0.05

    def wait(self, entry: Entry) -> None:
        due = self._due(entry)
        if due > 0.05:
            time.sleep(due)


def _fingerprint(paths: list[str], options: ReplayOptions) -> str:
    """Of the input files' contents and of the options that decide their order."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(repr((options.as_is, options.assume_rate)).encode())
    for path in paths:
        digest.update(f"\0{path}\0".encode())
        if path != STDIN:
            with open(path, "rb") as file:
                while part := file.read(1 << 20):
                    digest.update(part)
    return digest.hexdigest()


def _database(out: Path, mark: RunMark) -> Database:
    """The folder's database: an unfinished replay goes on, a finished one starts anew."""
    path = out / "tindon.sqlite"
    if path.exists():
        database = Database(path)
        blob = database.get_blob(RUN)
        stands = _mark(blob) if blob is not None else None
        if stands == mark:
            return database
        database.close()
        if stands is not None and not stands.finished:
            raise ReplayError(
                f"{out} holds an unfinished replay of other files, settings or encoder: "
                "finish it with those, or give another --out"
            )
        for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
            (out / name).unlink(missing_ok=True)
    database = Database(path)
    database.put_blob(RUN, msgspec.msgpack.encode(mark))
    return database


def _mark(blob: bytes) -> RunMark:
    try:
        return msgspec.msgpack.decode(blob, type=RunMark)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise CodecError("its mark of what was replayed does not fit its form") from None
