"""Two naive alert rules on the same clusters, as the line that real alerts must beat.

Each fires once per rumor, at the post that brings the count of the last 24 hours to k. Rumors are
those that a post had on arrival (`first_rumor_id`), so no rule sees a later merge.
"""

import re
from collections import defaultdict, deque
from dataclasses import dataclass

import numpy as np

from evaluation.alert_metrics import DAY_SECONDS, Alarm
from evaluation.gold import plain_wording
from evaluation.metrics import Labels, factorise
from evaluation.table import Table

RULE_KS = (2, 3, 4, 5, 6, 8, 10, 12, 15, 20)
POSTS_RULE = "posts in 24 h"
WORDINGS_RULE = "distinct wordings in 24 h"
# What sharing adds to a post and what the rule therefore does not count as a new wording.
SHARING_MARKS = re.compile(r"^\s*rt\b[\s:]*|https?://\S+|\bwww\.\S+|@\w+:?|…", re.IGNORECASE)


def shared_wording(text: str) -> str:
    """The plain wording without a leading "RT", links and mentions."""
    return plain_wording(SHARING_MARKS.sub(" ", text))


@dataclass(frozen=True)
class WindowCounts:
    """Folded posts with a time, grouped by rumor on arrival, in folded order inside a rumor.

    `row` are table positions; `start` is where the post's rumor begins in these arrays; `posts`
    and `wordings` count the rumor's last 24 hours up to and including the post.
    """

    row: Labels
    start: Labels
    posts: Labels
    wordings: Labels


def window_counts(table: Table) -> WindowCounts:
    """One pass over the table; a post that comes out of order counts at the newest time so far."""
    rows = np.flatnonzero(table.folded & ~np.isnan(table.time))
    row = rows[np.argsort(table.arrival[rows], kind="stable")]
    wording = factorise([shared_wording(table.text[i]) for i in row])
    start = np.zeros(len(row), dtype=np.int64)
    posts = np.zeros(len(row), dtype=np.int64)
    wordings = np.zeros(len(row), dtype=np.int64)
    window: deque[tuple[float, int]] = deque()
    inside: defaultdict[int, int] = defaultdict(int)
    rumor_before, begin, now = -1, 0, -np.inf
    columns = (table.arrival[row].tolist(), table.time[row].tolist(), wording.tolist())
    for i, (rumor, time, words) in enumerate(zip(*columns, strict=True)):
        if rumor != rumor_before:
            rumor_before, begin, now = rumor, i, -np.inf
            window.clear()
            inside.clear()
        now = max(now, time)
        while window and window[0][0] <= now - DAY_SECONDS:
            _, gone = window.popleft()
            inside[gone] -= 1
            if not inside[gone]:
                del inside[gone]
        window.append((now, words))
        inside[words] += 1
        start[i], posts[i], wordings[i] = begin, len(window), len(inside)
    return WindowCounts(row, start, posts, wordings)


def rule_alarms(table: Table, counts: WindowCounts, counted: Labels, k: int) -> list[Alarm]:
    """The alarms of "k in 24 h" on `counted` (`counts.posts` or `counts.wordings`), in order."""
    reached = np.flatnonzero(counted >= k)
    _, first = np.unique(counts.start[reached], return_index=True)
    alarms = []
    for i in reached[first]:
        row = int(counts.row[i])
        members = counts.row[counts.start[i] : i + 1]
        alarms.append(Alarm(members, row, float(table.time[row])))
    alarms.sort(key=lambda alarm: alarm.arrived)
    return alarms
