"""A replay: files of posts through the embedded road, and the files that it leaves."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec

from agents.embedded import EmbeddedRoad
from agents.feeding import Feed, Feeding
from agents.front import POSTS
from agents.front_child import FrontChild, started_for
from agents.front_process import FrontProcess
from agents.holding import holding
from agents.marks import APPLIED, RunMark, fingerprint, made_here, mark_of, put_mark
from agents.memory import (
    GIVEN_BACK,
    collect_rarely,
    give_back,
    give_back_large,
    peak_rss_bytes,
)
from agents.replay_files import NAMES, SUMMARY, Totals, write_files
from agents.stages import Stages
from agents.told import Progress
from config import Settings
from stores.sqlite import SqliteStore
from streams.sources.files import STDIN
from streams.sqlite_database import Database
from streams.sqlite_log import SqliteLog

CHUNK = 2_000
"""Records appended to the log and folded at a time."""

DATABASE = "tindon.sqlite"


class ReplayError(Exception):
    """The replay cannot run; one line with the mend."""

    exit_code = 1


class ReplayOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How to read and how fast to go."""

    as_is: bool = False
    assume_rate: float | None = None
    speed: float | None = None  # times real time; None: as fast as it goes
    ahead_ms: int = 0  # event time at the start that is not waited for
    processes: int | None = None  # 1 or 2; None: two for large files
    child: FrontChild | None = None  # for two: one that was started before; its owner ends it
    on_progress: Callable[[Progress, int | None], None] | None = None  # (counts, records in all)
    on_road: Callable[[EmbeddedRoad], None] | None = None  # once the road stands
    # Set: a finished replay of the same is kept, and told.
    on_kept: Callable[[], None] | None = None


def replay(
    paths: list[str], out: Path, settings: Settings, options: ReplayOptions
) -> dict[str, Any]:
    """Replay files into `out`; the summary. An interrupted replay of the same files goes on.

    Raises FileError, ReplayError, DatabaseError, EncoderError: each one line with the mend.
    """
    built = Stages(settings)
    if options.on_kept is not None:
        kept = _kept(paths, out, settings, built.identity, options)
        if kept is not None:
            options.on_kept()
            return kept
    feed = Feed(
        paths=paths,
        as_is=options.as_is,
        assume_rate=options.assume_rate,
        speed=options.speed,
        ahead_ms=options.ahead_ms,
        tick_ms=int(settings.time.replay_tick_s * 1000),
        chunk=CHUNK,
    )
    collect_rarely()
    give_back_large()
    with ExitStack() as stack:
        child = options.child
        if child is None:
            child = stack.enter_context(started_for(paths, options.processes))
        front = FrontProcess(child, built.plan, feed) if child else None
        started = time.monotonic()
        try:
            out.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise ReplayError(
                f"{out} is no folder, nor can it become one: give another --out"
            ) from None
        if not stack.enter_context(holding(out)):
            raise ReplayError(
                f"another replay works in {out}: wait for its end, or give another --out"
            )
        source = front or Feeding(feed, built.door, built.cluster)
        total = source.total()
        mark = RunMark(
            fingerprint(paths, options.as_is, options.assume_rate),
            settings.sha256,
            built.identity,
            finished=False,
        )
        database = stack.enter_context(_database(out, mark))
        road = EmbeddedRoad(database, built.alert)
        if options.on_road is not None:
            options.on_road(road)
        road.catch_up(lambda: built.front, CHUNK)
        portions = source.portions(
            skip=road.logged if STDIN not in paths else 0,
            cluster=road.cluster,
            at=road.next,
            snapshot=lambda: road.checkpoint_due,
            orders=road.orders.hand_out,
        )
        for number, portion in enumerate(portions):
            road.decide()
            road.take(portion)
            if number % GIVEN_BACK == 0:
                give_back()
            if options.on_progress is not None:
                options.on_progress(road.progress, total)
        open_rumors = road.finish(lambda: built.front)
        totals = Totals(
            progress=road.progress,
            open_rumors=open_rumors,
            wall_s=time.monotonic() - started,
            peak_rss_bytes=peak_rss_bytes() + (front.peak_rss_bytes if front else 0),
            settings_sha256=settings.sha256,
            encoder=built.identity,
        )
        summary = write_files(road, out, totals)
        put_mark(database, msgspec.structs.replace(mark, finished=True))
    return summary


def _kept(
    paths: list[str], out: Path, settings: Settings, encoder: str, options: ReplayOptions
) -> dict[str, Any] | None:
    """The summary of the finished replay in `out`, if this run would say the same; else None."""
    if not (out / DATABASE).is_file() or not all((out / name).is_file() for name in NAMES):
        return None
    with Database(out / DATABASE) as database:
        mark = mark_of(database)
        if mark is None or not made_here(database):
            return None
        if mark != RunMark(mark.inputs, settings.sha256, encoder, finished=True):
            return None
        try:
            if mark.inputs != fingerprint(paths, options.as_is, options.assume_rate):
                return None
        except OSError:  # whoever reads it says what is wrong
            return None
        if SqliteStore(database).audit(limit=1) or SqliteLog(database).end(APPLIED):
            return None  # somebody had a say in it
    try:
        return msgspec.json.decode((out / SUMMARY).read_bytes(), type=dict[str, Any])
    except msgspec.DecodeError:
        return None


def _database(out: Path, mark: RunMark) -> Database:
    """The folder's database: an unfinished replay goes on, a finished one starts anew."""
    path = out / DATABASE
    if path.exists():
        database = Database(path)
        stands = mark_of(database)
        if stands is None and not SqliteLog(database).end(POSTS):  # what was left for its beginning
            put_mark(database, mark)
            return database
        if stands == mark:
            return database
        decided = SqliteStore(database).audit(limit=1)
        database.close()
        if decided:
            raise ReplayError(
                f"{out} holds what analysts decided, which a new replay would drop: give another --out"
            )
        if stands is not None and not stands.finished:
            raise ReplayError(
                f"{out} holds an unfinished replay of other files, settings or encoder: "
                "finish it with those, or give another --out"
            )
        for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
            (out / name).unlink(missing_ok=True)
    database = Database(path)
    put_mark(database, mark)
    return database
