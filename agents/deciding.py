"""What people decide, to the embedded road in a replay's folder: running, at its end, or cut short."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from agents.embedded import EmbeddedRoad
from agents.holding import holding
from agents.inbox import leave
from agents.marks import mark_of
from agents.replay import CHUNK, DATABASE, ReplayError
from agents.stages import Stages
from config import Settings
from streams.inputs import Decision
from streams.sqlite_database import Database


def decide(folder: Path, settings: Settings, records: Sequence[Decision]) -> bool:
    """Leave records in the folder's inbox; True when they are folded on return.

    A road that runs there takes them in with its next posts. Where none runs, this process folds them,
    unless nothing was replayed there yet: then the replay begins with them.
    Raises ReplayError, DatabaseError, CodecError, EncoderError.
    """
    with Database(folder / DATABASE) as database:
        mark = mark_of(database)
        if mark is not None and mark.settings != settings.sha256:
            raise ReplayError(
                f"{folder} was made under other settings: give the same --config and environment"
            )
        leave(database, records)
        if mark is None:
            return False
        with holding(folder) as alone:
            if alone:
                _fold(database, settings)
            return alone


def _fold(database: Database, settings: Settings) -> None:
    built = Stages(settings)
    road = EmbeddedRoad(database, built.alert)
    road.catch_up(lambda: built.front, CHUNK)
    road.finish(lambda: built.front)
