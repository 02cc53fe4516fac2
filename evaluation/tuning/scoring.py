"""Scores of one combination on the first part and on the held-out part of a stream.

Each part keeps its sums by story, so that a band can be drawn by sampling stories.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import msgspec
import numpy as np

from evaluation.alert_metrics import (
    RIGHT_STORY_POSTS,
    Alarm,
    StoryTimeline,
    days_with_posts,
    first_right,
    judge,
    quantiles,
)
from evaluation.alerts_report import alarms_of
from evaluation.gold import Gold
from evaluation.metrics import Labels, bcubed_per_post, factorise
from evaluation.replayed import AlertLine, Replayed
from evaluation.table import Table, join
from evaluation.tuning.folding import Told

PARTS = ("first", "held_out")
LEVELS = ("suggest", "confirm")
SIZES = (10, 20, 50)
"""Least posts of the stories over which recall is told, as in `tindon evaluate`."""


class StorySums(msgspec.Struct):
    """One row a story that has posts in the part: what the scores are made of."""

    posts: list[int]
    precision: dict[str, list[float]]  # by level of clustering: sum over the story's posts
    recall: dict[str, list[float]]
    size: list[int]  # posts by which it counts for recall; 0: it began in the other part
    found: dict[str, list[int]]  # by level of alert: 1 when a right alert named it in the part
    right: dict[str, list[int]]  # right alerts in the part whose largest story this is
    wrong: dict[str, list[int]]
    alone: dict[str, int]  # alerts of no story: wrong


class PartScores(msgspec.Struct):
    """Figures of one part. `None`: there is nothing to measure it on."""

    posts: int
    labelled: int
    stories: int
    clustering: dict[str, dict[str, float | None]]  # "rumor", "event": precision, recall, f1
    alerts: dict[str, dict[str, Any]]  # by level
    by_story: StorySums


@dataclass(frozen=True)
class _Part:
    """Rows of the table, and what was said of them when the part ended."""

    table: Table  # the part's rows only; groups as they stood then
    judged: Table  # the rows that alerts are judged against
    begins: Labels  # per story: position in `judged` of its first post, -1 for none
    since: int  # stories that begin before this row belong to the part before
    lines: Sequence[AlertLine]


def part_scores(gold: Gold, told: Told, split: int) -> dict[str, PartScores]:
    """Scores on the first `split` posts, with the ids as they stood then, and on those after them."""
    whole = join(gold, Replayed(told.assignments(), told.alerts, {}))
    arrived = int(whole.arrived.sum())
    split = min(split, arrived)
    judged = np.arange(arrived)
    if whole.judged is not None:
        judged = judged[whole.judged[:arrived]]
    before, after = judged[judged < split], judged[judged >= split]
    early = before.tolist()
    first = replace(
        rows_of(whole, before),
        rumor=factorise([told.early_rumor[row] for row in early]),
        event=factorise([told.early_event[row] for row in early]),
        rumor_id=[told.early_rumor[row] for row in early],
    )
    held_out = rows_of(whole, after)
    everything = rows_of(whole, judged)
    cut = told.early_alerts
    seen = {line.alert_id for line in told.alerts[:cut]}
    # An alert that was there before does not count again when it reaches its next level.
    later = [a for a in told.alerts[cut:] if a.level == "confirm" or a.alert_id not in seen]
    parts = {
        "first": _Part(first, first, _begins(first), 0, told.alerts[:cut]),
        "held_out": _Part(held_out, everything, _begins(everything), len(before), later),
    }
    return {
        name: _scores(part, seen if name == "held_out" else set()) for name, part in parts.items()
    }


def rows_of(table: Table, rows: Labels) -> Table:
    """The table with these rows alone; story sizes are counted over them."""
    changes: dict[str, Any] = {}
    for one in fields(table):
        value = getattr(table, one.name)
        if one.name in ("stories", "story_size"):
            continue
        if isinstance(value, np.ndarray):
            changes[one.name] = value[rows]
        elif isinstance(value, list):
            changes[one.name] = [value[row] for row in rows.tolist()]
    story = changes["story"]
    changes["story_size"] = np.bincount(story[story >= 0], minlength=len(table.stories))
    return replace(table, **changes)


def _begins(table: Table) -> Labels:
    begins = np.full(len(table.stories), -1, dtype=np.int64)
    rows = np.flatnonzero(table.labelled)[::-1]
    begins[table.story[rows]] = rows  # the first row is written last
    return begins


def _scores(part: _Part, seen: set[str]) -> PartScores:
    table = part.table
    labelled = table.labelled
    stories = np.unique(table.story[labelled])
    place = np.full(len(table.stories) + 1, -1, dtype=np.int64)
    place[stories] = np.arange(len(stories))
    sums = StorySums(
        posts=np.bincount(place[table.story[labelled]], minlength=len(stories)).tolist(),
        precision={},
        recall={},
        size=np.where(
            part.begins[stories] >= part.since, part.judged.story_size[stories], 0
        ).tolist(),
        found={},
        right={},
        wrong={},
        alone={},
    )
    clustering = {}
    for level in ("rumor", "event"):
        precision, recall = bcubed_per_post(table.story, getattr(table, level), labelled)
        at = place[table.story[labelled]]
        for name, values in (("precision", precision), ("recall", recall)):
            added = np.bincount(at, weights=values[labelled], minlength=len(stories))
            getattr(sums, name)[level] = [round(float(value), 6) for value in added]
        clustering[level] = _f1(precision[labelled], recall[labelled])
    alerts = {level: _alert_scores(part, level, stories, place, sums, seen) for level in LEVELS}
    return PartScores(
        posts=int(table.folded.sum()),
        labelled=int(labelled.sum()),
        stories=len(stories),
        clustering=clustering,
        alerts=alerts,
        by_story=sums,
    )


def _f1(precision: Any, recall: Any) -> dict[str, float | None]:
    if not len(precision):
        return {"precision": None, "recall": None, "f1": None}
    p, r = float(precision.mean()), float(recall.mean())
    return {"precision": p, "recall": r, "f1": 2 * p * r / (p + r)}


def _alert_scores(
    part: _Part, level: str, stories: Labels, place: Labels, sums: StorySums, seen: set[str]
) -> dict[str, Any]:
    """Precision, recall by story size, posts and minutes until the alert, alerts a day."""
    alarms = _of_level(part, level, seen)
    judgement = judge(part.judged, alarms)
    timeline = StoryTimeline(part.judged)
    delays = first_right(timeline, alarms, judgement)
    counted = part.begins[delays.story] >= part.since
    rows = place[judgement.story]
    named = rows >= 0
    for target, chosen in ((sums.right, judgement.right), (sums.wrong, ~judgement.right)):
        inside = rows[chosen & named]
        target[level] = np.bincount(inside, minlength=len(stories)).tolist()
    sums.alone[level] = int((~judgement.right & ~named).sum())
    found = np.zeros(len(stories), dtype=np.int64)
    at = place[delays.story[counted]]
    found[at[at >= 0]] = 1
    sums.found[level] = found.tolist()
    size = np.array(sums.size)
    days = days_with_posts(part.table)
    right = int(judgement.right.sum())
    return {
        "alerts": len(alarms),
        "per_day": len(alarms) / days if days else None,
        "right": right,
        "precision": right / len(alarms) if alarms else None,
        "recall": [
            {
                "min_posts": least,
                "stories": int((size >= least).sum()),
                "found": int(found[size >= least].sum()),
                "recall": float(found[size >= least].mean()) if (size >= least).any() else None,
            }
            for least in SIZES
        ],
        "posts_until": quantiles(delays.posts[counted].astype(float)),
        "minutes_until": quantiles(delays.minutes[counted]),
    }


def _of_level(part: _Part, level: str, seen: set[str]) -> list[Alarm]:
    """Alerts that reached the level in the part; `confirm` means `suggest` too, counted once."""
    chosen: list[AlertLine] = []
    told = set(seen) if level == "suggest" else set()
    for line in part.lines:
        if level == "confirm" and line.level != "confirm":
            continue
        if line.alert_id not in told:
            told.add(line.alert_id)
            chosen.append(line)
    alarms = alarms_of(part.judged, chosen)
    if part.judged.judged is not None:  # of the others nobody knows whether they are right
        alarms = [alarm for alarm in alarms if len(alarm.rows)]
    return alarms


def least_recall_size(sums: StorySums) -> int:
    """The size from which the goal counts stories: 20 posts where there are such, else 10."""
    return 20 if any(size >= 20 for size in sums.size) else RIGHT_STORY_POSTS
