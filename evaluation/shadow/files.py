"""A shadow over files: two settings over the same embedded posts; labels add quality."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from agents.replay_files import Heirs
from config import Settings
from evaluation.alert_metrics import StoryTimeline, score_alarms
from evaluation.alerts_report import alarms_of
from evaluation.errors import EvaluationError
from evaluation.gold import Gold, load_gold
from evaluation.metrics import bcubed
from evaluation.replayed import AlertLine, Replayed
from evaluation.shadow.results import results
from evaluation.shadow.side import Side
from evaluation.table import join
from evaluation.tuning.folding import Told, line_of
from evaluation.tuning.frames import Reading, door_of, embed, read
from streams.records import Frame

RECALL_FROM = 20


def over_files(
    reading: Reading,
    running: Settings,
    candidate: Settings,
    work: Path,
    show: Callable[[str, int, int | None], None] | None = None,
) -> dict[str, Any]:
    """Fold the files under both settings; frames are kept in `work`.

    Raises EvaluationError, FileError, EncoderError, BadParameter.
    """
    show = show or (lambda what, done, total: None)
    door = door_of(running)
    now, then = Side(running, door), Side(candidate, door)
    gold = _labels(reading)
    if gold is not None:
        now.log, then.log = [], []
    frames = embed(reading, running, work, lambda done, of: show("embedding posts", done, of))
    total = sum(1 for _ in read(frames, Frame))
    first_at = None
    for number, frame in enumerate(read(frames, Frame), 1):
        if first_at is None and len(frame.posts):
            first_at = int(frame.posts.created_at.min())
        now.fold(frame)
        then.fold(frame)
        show("folding twice", number, total)
    told = results(running, candidate, now, then, first_at)
    if gold is not None:
        told["quality"] = {"in_force": _quality(gold, now), "candidate": _quality(gold, then)}
    return told


def _labels(reading: Reading) -> Gold | None:
    """The labels of the files, if they have such; a comparison needs none."""
    try:
        return load_gold(reading.paths, assume_rate=reading.assume_rate)
    except EvaluationError:
        return None


def _quality(gold: Gold, side: Side) -> dict[str, float | None]:
    heirs, told = Heirs(), Told()
    for effects in side.log or ():
        for merged in effects.merged:
            heirs.note(merged.loser, merged.heir)
        told.assigned += effects.assigned
    told.rumor = [heirs.of(a.rumor) if a.rumor else None for a in told.assigned]
    told.event = [heirs.of(a.event) if a.event else None for a in told.assigned]
    lines: dict[str, AlertLine] = {}
    for effects in side.log or ():
        for raised in effects.raised:
            lines.setdefault(raised.alert_id, line_of(raised, heirs))
    table = join(gold, Replayed(told.assignments(), list(lines.values()), {}))
    alarms = alarms_of(table, list(lines.values()))
    scores, _, _ = score_alarms(table, StoryTimeline(table), alarms)
    recall = [row["recall"] for row in scores["recall"] if row["min_posts"] == RECALL_FROM]
    return {
        "rumor_f1": bcubed(table.story, table.rumor)[2],
        "event_f1": bcubed(table.story, table.event)[2],
        "precision": scores["precision"],
        "recall": recall[0] if recall else None,
    }
