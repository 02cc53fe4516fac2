"""A study: every combination folded and scored, each result a file, so that it can be taken up again."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from agents.stages import alert_fold
from config import Settings
from embeddings.door import Door
from evaluation.desk_labels import DeskLabels, gold_of
from evaluation.errors import EvaluationError
from evaluation.gold import Gold, load_gold
from evaluation.tuning.choice import Scored
from evaluation.tuning.folding import (
    cluster_key,
    fold_alerts,
    write_changes,
)
from evaluation.tuning.frames import Reading, door_of, embed, names, read
from evaluation.tuning.grid import Axis, Cell, cells_of, described
from evaluation.tuning.pool import Pool
from evaluation.tuning.scoring import PartScores, part_scores
from streams.records import Change, Frame

PLAN = "study.json"
SCHEMA = 1
LEAST_STORIES = 2
FEW_STORIES = 30
"""Stories of a part below which the report warns: their band is wider than most differences."""

Show = Callable[[str, int, int | None], None]
"""Told what is done now, how much of it, of how many."""


@dataclass(frozen=True)
class Plan:
    """What a study is a study of."""

    reading: Reading
    axes: tuple[Axis, ...]
    settings: Settings
    share: float = 0.5  # of the posts, in folded order, that make the first part
    jobs: int = 0  # processes; 0: one for each processor

    @property
    def processes(self) -> int:
        return self.jobs or max(len(os.sched_getaffinity(0)), 1)


@dataclass
class Study:
    """A finished study."""

    plan: Plan
    cells: list[Cell]
    scored: list[Scored]
    split: int  # posts of the first part
    notices: list[str] = field(default_factory=list)


class CellResult(msgspec.Struct):
    """The file of one combination."""

    values: list[tuple[str, float]]
    parts: dict[str, PartScores]


@dataclass(frozen=True)
class Source:
    """What a process needs to fold and score: frames and labels; the door is made there."""

    frames: Path
    reading: Reading
    settings: Settings
    split: int


def run(plan: Plan, out: Path, show: Show | None = None) -> Study:
    """Fold and score every combination; those whose result stands in `out` already are taken from it.

    Raises EvaluationError, SettingsError, FileError, EncoderError, BadParameter; what was finished stays.
    """
    show = show or (lambda what, done, total: None)
    cells = cells_of(plan.axes, plan.settings)
    door = door_of(plan.settings)
    for cell in cells:  # a value that a fold refuses is told before anything is read
        alert_fold(cell.settings, door)
    gold = _gold(plan.reading)
    folder = folder_of(out)
    frames = embed(
        plan.reading, plan.settings, folder, lambda done, of: show("embedding posts", done, of)
    )
    split = _cut(plan, frames, gold)
    results = folder / f"cells-{_mark(plan, out, frames, split)}"
    results.mkdir(exist_ok=True)
    source = Source(frames, plan.reading, plan.settings, split)
    _fold(plan, cells, source, results, show)
    scored = [_result(results / f"{cell.key}.json", cell) for cell in cells]
    study = Study(plan, cells, scored, split)
    study.notices = list(_notices(study, gold))
    return study


def _gold(reading: Reading) -> Gold:
    if reading.labels is None:
        return load_gold(reading.paths, assume_rate=reading.assume_rate)
    return gold_of(msgspec.json.decode(Path(reading.labels).read_bytes(), type=DeskLabels))


def folder_of(out: Path) -> Path:
    try:
        folder = out / "work"
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise EvaluationError(
            f"{out} is no folder, nor can it become one: give another --out"
        ) from None
    return folder


def _mark(plan: Plan, out: Path, frames: Path, split: int) -> str:
    """Names the folder of results: other settings around the swept ones give other results."""
    swept = {axis.name for axis in plan.axes}
    base = plan.settings.model_dump(mode="json", include={"cluster", "alert", "intake", "time"})
    base["intake"].pop("pseudonym_key", None)
    labels = Path(plan.reading.labels).read_text() if plan.reading.labels else ""
    text = json.dumps([frames.name, split, sorted(swept), base, labels], sort_keys=True)
    mark = hashlib.sha256(text.encode()).hexdigest()[:16]
    whole = {"schema": SCHEMA, "files": list(plan.reading.paths), "axes": described(plan.axes)}
    write_json(out / PLAN, whole | {"share": plan.share, "results": f"work/cells-{mark}"})
    return mark


def _fold(plan: Plan, cells: Sequence[Cell], source: Source, results: Path, show: Show) -> None:
    """What is not there yet: a log of changes for each group, then its combinations."""
    door = door_of(plan.settings)
    waiting: dict[str, list[Cell]] = {}
    for cell in cells:
        if not (results / f"{cell.key}.json").is_file():
            waiting.setdefault(cluster_key(cell.settings, door), []).append(cell)
    for left_over in source.frames.parent.glob("changes-*.bin"):  # of a study that was killed
        left_over.unlink(missing_ok=True)
    total = sum(len(group) + 1 for group in waiting.values())
    if not total:
        return
    done = 0
    show("folding", done, total)
    logs = {
        key: source.frames.parent / f"changes-{group[0].key}.bin" for key, group in waiting.items()
    }
    left = {key: len(group) for key, group in waiting.items()}
    try:
        with Pool(plan.processes, _begin, source) as pool:
            for key, group in waiting.items():
                pool.submit(("changes", key), _changes, group[0].settings, logs[key])
            for kind, key in pool.done():
                done += 1
                show("folding", done, total)
                if kind == "changes":
                    for cell in waiting[key]:
                        to = results / f"{cell.key}.json"
                        pool.submit(("cell", key), _cell, cell.settings, cell.values, logs[key], to)
                else:
                    left[key] -= 1
                    if not left[key]:
                        logs[key].unlink(missing_ok=True)
    finally:
        for log in logs.values():
            log.unlink(missing_ok=True)


# --- in the processes of the pool

_here: tuple[Source, Door, Gold] | None = None


def _begin(source: Source) -> None:
    global _here
    gold = _gold(source.reading)
    _here = (source, door_of(source.settings), gold)


def _held() -> tuple[Source, Door, Gold]:
    assert _here is not None, "the process was not begun"
    return _here


def _changes(settings: Settings, to: Path) -> None:
    source, door, _ = _held()
    write_changes(source.frames, settings, door, to)


def _cell(settings: Settings, values: tuple[tuple[str, float], ...], log: Path, to: Path) -> None:
    source, door, gold = _held()
    told = fold_alerts(read(log, Change), settings, door, source.split)
    result = CellResult(list(values), part_scores(gold, told, source.split))
    write_bytes(to, msgspec.json.encode(result))


# --- files


def _result(path: Path, cell: Cell) -> Scored:
    try:
        parts = msgspec.json.decode(path.read_bytes(), type=CellResult).parts
    except (OSError, msgspec.DecodeError) as error:
        with contextlib.suppress(OSError):
            path.unlink()
        raise EvaluationError(
            f"{path} could not be read ({error}): run the same command again"
        ) from None
    return Scored(cell.values, parts)


def write_json(path: Path, value: Any) -> None:
    write_bytes(
        path, (json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()
    )


def write_bytes(path: Path, value: bytes) -> None:
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    unfinished.write_bytes(value)
    os.replace(unfinished, path)


def _cut(plan: Plan, frames: Path, gold: Gold) -> int:
    """Posts of the first part. Raises EvaluationError when a part cannot tell settings apart."""
    story = dict(zip(zip(gold.source, gold.post_id, strict=True), gold.story.tolist(), strict=True))
    order = [
        story.get(key, -1)
        for frame in read(frames, Frame)
        for key in zip(frame.posts.source, frame.posts.id, strict=True)
    ]
    split = int(len(order) * plan.share)
    if not 0 < split < len(order):
        raise EvaluationError(
            f"{len(order):,} posts cannot be parted at {plan.share:g}: give another --split"
        )
    for title, part in (("first", order[:split]), ("held-out", order[split:])):
        if (found := len(set(part) - {-1})) < LEAST_STORIES:
            raise EvaluationError(
                f"{names(plan.reading.paths)}: the {title} part holds posts of {found} stories, at "
                f"least {LEAST_STORIES} are needed: label more, or move the cut with --split"
            )
    return split


def _notices(study: Study, gold: Gold) -> Iterator[str]:
    for part, title in (("first", "first"), ("held_out", "held-out")):
        stories = study.scored[0].parts[part].stories
        if stories < FEW_STORIES:
            yield (
                f"The {title} part holds {stories} stories only: the bands are wide, "
                "and a choice is little more than a guess."
            )
    timeless = int(np.isnan(gold.time).sum())
    if timeless:
        yield f"{timeless:,} labelled posts have no time and take no part."
