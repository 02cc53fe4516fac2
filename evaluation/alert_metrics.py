"""Are alerts right, do they find the stories, and how early: definitions in docs/metrics.md."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from evaluation.metrics import Labels
from evaluation.table import Table

# An alert is right when at least this share of its posts belongs to one story …
RIGHT_SHARE = 0.60
# … that has at least this many labelled posts (definition of the project's evaluation).
RIGHT_STORY_POSTS = 10
# Sizes from which recall is reported, in labelled posts of the story.
RECALL_SIZES = (10, 20, 50, 100)
DAY_SECONDS = 86_400.0
# After how many posts of a story its own pace is reported (how early anybody could know).
PACE_POSTS = (2, 3, 5, 8, 10)


@dataclass(frozen=True)
class Alarm:
    """Something called attention to a group of posts.

    `rows` are the group's posts then, as positions in the table; `arrived` is the position of the
    last post that had come in; `raised_at` is event time in seconds since 1970, NaN if unknown.
    """

    rows: Labels
    arrived: int
    raised_at: float


@dataclass(frozen=True)
class Judgement:
    """Per alarm, in the order given: its largest story (-1: none), that story's share, right?"""

    story: Labels
    share: npt.NDArray[np.float64]
    right: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Delays:
    """Found stories (k,): the story, its posts until its first right alarm, and the minutes."""

    story: Labels
    posts: Labels
    minutes: npt.NDArray[np.float64]


class StoryTimeline:
    """When the posts of each story arrived, in table positions and in event time."""

    def __init__(self, table: Table) -> None:
        rows = np.flatnonzero(table.labelled & table.arrived)
        order = np.argsort(table.story[rows], kind="stable")
        self._rows = rows[order]
        stories = np.arange(len(table.stories))
        self._start = np.searchsorted(table.story[self._rows], stories, side="left")
        self._end = np.searchsorted(table.story[self._rows], stories, side="right")
        self.first_time = np.full(len(table.stories), np.inf)
        timed = rows[~np.isnan(table.time[rows])]
        np.minimum.at(self.first_time, table.story[timed], table.time[timed])
        self.first_time[np.isinf(self.first_time)] = np.nan
        self._time = table.time

    def posts_until(self, story: int, arrived: int) -> int:
        """Posts of the story at table positions up to and including `arrived`."""
        rows = self._rows[self._start[story] : self._end[story]]
        return int(np.searchsorted(rows, arrived, side="right"))

    def minutes_to_post(self, story: int, number: int) -> float:
        """Minutes from the story's first post to its `number`-th; NaN if fewer or no time."""
        rows = self._rows[self._start[story] : self._end[story]]
        if len(rows) < number:
            return float("nan")
        return float(self._time[rows[number - 1]] - self.first_time[story]) / 60.0


def judge(table: Table, alarms: Sequence[Alarm]) -> Judgement:
    """Whether each alarm is right: 60 % of its posts in one story of at least 10 posts."""
    lengths = np.array([len(alarm.rows) for alarm in alarms], dtype=np.int64)
    of_alarm = np.repeat(np.arange(len(alarms)), lengths)
    rows = np.concatenate([alarm.rows for alarm in alarms]) if alarms else lengths
    named = table.story[rows] >= 0
    base = len(table.stories) + 1
    pairs, counts = np.unique(of_alarm[named] * base + table.story[rows[named]], return_counts=True)
    # The largest count of each alarm comes first; ties go to the first story by name.
    order = np.lexsort((pairs, -counts, pairs // base))
    with_story, first = np.unique(pairs[order] // base, return_index=True)
    story = np.full(len(alarms), -1, dtype=np.int64)
    share = np.zeros(len(alarms))
    story[with_story] = pairs[order][first] % base
    share[with_story] = counts[order][first] / lengths[with_story]
    # Without labels there is no story to index.
    sizes = np.append(table.story_size, 0)  # story -1 reads the appended 0
    # 3 of 5 is 0.6 in binary too: both sides are the double nearest to 0.6.
    right = (share >= RIGHT_SHARE) & (sizes[story] >= RIGHT_STORY_POSTS)
    return Judgement(story, share, right)


def first_right(timeline: StoryTimeline, alarms: Sequence[Alarm], judgement: Judgement) -> Delays:
    """For each story that some right alarm names, the delay of the first such alarm."""
    earliest: dict[int, Alarm] = {}
    for alarm, story, right in zip(alarms, judgement.story, judgement.right, strict=True):
        if right and (int(story) not in earliest or alarm.arrived < earliest[int(story)].arrived):
            earliest[int(story)] = alarm
    found = sorted(earliest)
    return Delays(
        story=np.array(found, dtype=np.int64),
        posts=np.array(
            [timeline.posts_until(s, earliest[s].arrived) for s in found], dtype=np.int64
        ),
        minutes=np.array(
            [(earliest[s].raised_at - timeline.first_time[s]) / 60.0 for s in found], dtype=float
        ),
    )


def score_alarms(
    table: Table, timeline: StoryTimeline, alarms: Sequence[Alarm]
) -> tuple[dict[str, Any], Judgement, Delays]:
    """Precision, and by story size: recall, posts and minutes until the first right alarm."""
    judgement = judge(table, alarms)
    delays = first_right(timeline, alarms, judgement)
    right = int(judgement.right.sum())
    recall = []
    for least in RECALL_SIZES:
        stories = int((table.story_size >= least).sum())
        big = table.story_size[delays.story] >= least
        recall.append({
            "min_posts": least,
            "stories": stories,
            "found": int(big.sum()),
            "recall": int(big.sum()) / stories if stories else None,
            "posts": quantiles(delays.posts[big].astype(float)),
            "minutes": quantiles(delays.minutes[big]),
        })  # fmt: skip
    scores = {
        "alerts": len(alarms),
        "right": right,
        "precision": right / len(alarms) if alarms else None,
        "recall": recall,
    }
    return scores, judgement, delays


def quantiles(values: npt.NDArray[np.float64]) -> dict[str, float | None]:
    """Median and 90th percentile (linear interpolation) of the known values."""
    known = values[~np.isnan(values)]
    if len(known) == 0:
        return {"median": None, "p90": None}
    return {"median": float(np.median(known)), "p90": float(np.percentile(known, 90))}


def days_with_posts(table: Table) -> int:
    """Number of UTC days of event time on which at least one post was folded."""
    time = table.time[table.folded]
    return len(np.unique(np.floor_divide(time[~np.isnan(time)], DAY_SECONDS)))


def story_pace(table: Table, timeline: StoryTimeline, least: int) -> list[dict[str, Any]]:
    """Minutes from first to k-th post over stories of at least `least` posts: the data's bound."""
    stories = np.flatnonzero(table.story_size >= least)
    return [
        {
            "post": number,
            **quantiles(np.array([timeline.minutes_to_post(int(s), number) for s in stories])),
        }
        for number in PACE_POSTS
    ]
