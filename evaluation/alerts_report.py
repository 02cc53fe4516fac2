"""The alerts of a replay, scored: levels, naive rules beside them, points of the trade-off."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from evaluation.alert_metrics import (
    RIGHT_STORY_POSTS,
    Alarm,
    Delays,
    Judgement,
    StoryTimeline,
    days_with_posts,
    score_alarms,
    story_pace,
)
from evaluation.excerpts import excerpt
from evaluation.gold import epoch_seconds
from evaluation.naive_rules import (
    POSTS_RULE,
    RULE_KS,
    WORDINGS_RULE,
    rule_alarms,
    window_counts,
)
from evaluation.replayed import AlertLine
from evaluation.table import Table

# Rows of the lists that a person reads.
LISTED_WRONG = 10
LISTED_ALERTS = 50
# Points on the curve over the alerts' own score.
SCORE_STEPS = 12
# Stories from which the data's own pace is told (the size of CrisisTracker's published figures).
PACE_STORY_POSTS = 50


def score_alerts(table: Table, lines: Sequence[AlertLine]) -> dict[str, Any]:
    """Everything that results["alerts"] holds; story figures are null-filled without labels."""
    timeline = StoryTimeline(table)
    alarms = alarms_of(table, lines)
    days = days_with_posts(table)
    levels: dict[str, Any] = {}
    points: list[dict[str, Any]] = []
    for level, chosen in _by_level(lines).items():
        level_lines = [lines[i] for i in chosen]
        level_alarms = [alarms[i] for i in chosen]
        scores, judgement, delays = score_alarms(table, timeline, level_alarms)
        levels[level] = {
            **scores,
            "per_day": len(chosen) / days if days else None,
            "most_in_a_day": _most_in_a_day(level_lines),
            "by_category": _by_category(level_lines, judgement),
            "wrong": _wrong(table, level_lines, level_alarms, judgement),
            "delays": _delay_rows(table, delays),
        }
        points.append(_point(f"tindon {level}", None, scores, days))
        points += _score_curve(table, timeline, level, level_lines, level_alarms, days)
    counts = window_counts(table)
    for name, counted in ((WORDINGS_RULE, counts.wordings), (POSTS_RULE, counts.posts)):
        for k in RULE_KS if table.stories else ():
            rule = rule_alarms(table, counts, counted, k)
            scores, _, _ = score_alarms(table, timeline, rule)
            points.append(_point(name, k, scores, days))
    return {
        "days_with_posts": days,
        "levels": levels,
        "points": points if table.stories else [],
        "pace": {
            "min_posts": PACE_STORY_POSTS,
            "stories": int((table.story_size >= PACE_STORY_POSTS).sum()),
            "minutes_to_post": story_pace(table, timeline, PACE_STORY_POSTS),
        },
        "unknown_post_ids": sum(len(a.post_ids) for a in lines) - sum(len(a.rows) for a in alarms),
        "listed": [_listed(a) for a in lines[:LISTED_ALERTS]],
    }


def _by_level(lines: Sequence[AlertLine]) -> dict[str, list[int]]:
    """Which lines each level is judged on.

    `confirm` means more than `suggest`: an alert that went straight to confirm is judged at both.
    """
    seen: set[str] = set()
    suggest = []
    for i, line in enumerate(lines):
        if line.alert_id not in seen:
            seen.add(line.alert_id)
            suggest.append(i)
    return {
        "suggest": suggest,
        "confirm": [i for i, line in enumerate(lines) if line.level == "confirm"],
    }


def alarms_of(table: Table, lines: Sequence[AlertLine]) -> list[Alarm]:
    """Alert lines with their post ids resolved to table positions.

    alerts.jsonl names posts by id only. Should two sources share an id, the post that ended in the
    alert's own rumor is meant.
    """
    rows_of: dict[str, list[int]] = defaultdict(list)
    for row in np.flatnonzero(table.folded):
        rows_of[table.post_id[row]].append(int(row))
    alarms = []
    for line in lines:
        final = line.final_rumor_id or line.rumor_id
        rows = []
        for post_id in line.post_ids:
            found = rows_of.get(post_id, [])
            rows += [r for r in found if table.rumor_id[r] == final][:1] or found[:1]
        raised_at = epoch_seconds(line.raised_at)
        members = np.array(rows, dtype=np.int64)
        last = int(members.max(initial=-1))
        raisers = [r for r in rows_of.get(line.raised_by, []) if r >= last] or [last]
        alarms.append(Alarm(members, raisers[0], raised_at))
    return alarms


def _score_curve(
    table: Table,
    timeline: StoryTimeline,
    level: str,
    lines: Sequence[AlertLine],
    alarms: Sequence[Alarm],
    days: int,
) -> list[dict[str, Any]]:
    """Points for keeping only the alerts of this level with at least a given score."""
    score = np.array([line.score for line in lines], dtype=float)
    if len(np.unique(score)) < 2:
        return []
    points = []
    steps = np.linspace(0, 1, SCORE_STEPS, endpoint=False)[1:]
    for threshold in np.unique(np.quantile(score, steps, method="lower")):
        kept = [alarm for alarm, s in zip(alarms, score, strict=True) if s >= threshold]
        scores, _, _ = score_alarms(table, timeline, kept)
        points.append(_point(f"tindon {level}, score", float(threshold), scores, days))
    return points


def _point(rule: str, k: float | None, scores: dict[str, Any], days: int) -> dict[str, Any]:
    smallest = scores["recall"][0]
    return {
        "rule": rule,
        "k": k,
        "alerts": scores["alerts"],
        "per_day": scores["alerts"] / days if days else None,
        "precision": scores["precision"],
        **{f"recall_{row['min_posts']}": row["recall"] for row in scores["recall"]},
        "posts_median": smallest["posts"]["median"],
        "posts_p90": smallest["posts"]["p90"],
        "minutes_median": smallest["minutes"]["median"],
        "minutes_p90": smallest["minutes"]["p90"],
    }


def _most_in_a_day(lines: Sequence[AlertLine]) -> int:
    return max(Counter(line.raised_at[:10] for line in lines).values(), default=0)


def _by_category(lines: Sequence[AlertLine], judgement: Judgement) -> list[dict[str, Any]]:
    total: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for line, is_right in zip(lines, judgement.right, strict=True):
        total[line.category or "none"] += 1
        right[line.category or "none"] += bool(is_right)
    return [
        {"category": name, "alerts": n, "right": right[name]}
        for name, n in sorted(total.items(), key=lambda item: (-item[1], item[0]))
    ]


def _wrong(
    table: Table, lines: Sequence[AlertLine], alarms: Sequence[Alarm], judgement: Judgement
) -> list[dict[str, Any]]:
    """The wrong alerts with the most posts: why each is wrong, and what it said."""
    if not table.stories:
        return []
    wrong = sorted(np.flatnonzero(~judgement.right).tolist(), key=lambda i: -len(alarms[i].rows))
    return [
        {
            **_listed(lines[i]),
            "largest_share": float(judgement.share[i]),
            "largest_story": table.stories[judgement.story[i]] if judgement.story[i] >= 0 else None,
            "largest_story_posts": int(table.story_size[judgement.story[i]])
            if judgement.story[i] >= 0
            else 0,
            "reason": _why_wrong(table, judgement, i),
        }
        for i in wrong[:LISTED_WRONG]
    ]


def _why_wrong(table: Table, judgement: Judgement, i: int) -> str:
    story = judgement.story[i]
    if story < 0:
        return "chatter only"
    if table.story_size[story] < RIGHT_STORY_POSTS:
        return f"story of fewer than {RIGHT_STORY_POSTS} posts"
    return "no story has 60 % of its posts"


def _listed(line: AlertLine) -> dict[str, Any]:
    return {
        "alert_id": line.alert_id,
        "level": line.level,
        "raised_at": line.raised_at,
        "posts": len(line.post_ids),
        "score": line.score,
        "category": line.category,
        "headline": excerpt(line.headline or ""),
    }


def _delay_rows(table: Table, delays: Delays) -> list[dict[str, Any]]:
    """One row for each found story, the earliest found (in posts) first."""
    order = np.lexsort((delays.story, delays.posts))
    return [
        {
            "story": table.stories[delays.story[i]],
            "size": int(table.story_size[delays.story[i]]),
            "posts": int(delays.posts[i]),
            "minutes": None if np.isnan(delays.minutes[i]) else float(delays.minutes[i]),
        }
        for i in order
    ]
