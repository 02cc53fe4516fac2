"""Alert figures follow their definitions. Tables are made by hand; times are in seconds."""

import numpy as np
import pytest

from evaluation.alert_metrics import (
    Alarm,
    StoryTimeline,
    days_with_posts,
    judge,
    quantiles,
    score_alarms,
    story_pace,
)
from evaluation.alerts_report import score_alerts
from evaluation.naive_rules import rule_alarms, shared_wording, window_counts
from evaluation.replayed import AlertLine
from evaluation.table import Table

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


def table(story, time=None, arrival=None, text=None, rumor_id=None):
    """One post a row, all folded, one minute apart unless told."""
    n = len(story)
    story = np.array(story, dtype=np.int64)
    alone = np.arange(n, dtype=np.int64)
    arrival = alone if arrival is None else np.array(arrival, dtype=np.int64)
    stories = int(story.max(initial=-1)) + 1
    return Table(
        stories=tuple(f"s{i}" for i in range(stories)),
        source=["x"] * n,
        post_id=[f"p{i}" for i in range(n)],
        text=[f"wording {i}" for i in range(n)] if text is None else text,
        language=np.array(["vi"] * n),
        story=story,
        story_size=np.bincount(story[story >= 0], minlength=stories),
        time=np.arange(n) * MINUTE if time is None else np.array(time, dtype=float),
        repeat=np.zeros(n, dtype=bool),
        folded=np.ones(n, dtype=bool),
        arrived=np.ones(n, dtype=bool),
        micro=arrival,
        arrival=arrival,
        rumor=arrival,
        event=arrival,
        rumor_id=[f"r{i}" for i in arrival] if rumor_id is None else rumor_id,
        lacking=0,
        unknown=0,
    )


def alarm(rows, arrived=None, raised_at=0.0):
    rows = np.array(rows, dtype=np.int64)
    return Alarm(rows, int(rows.max()) if arrived is None else arrived, raised_at)


def test_an_alert_is_right_from_60_percent_of_one_story_of_10_posts_on():
    posts = table([0] * 10 + [1] * 9 + [-1] * 5)
    judged = judge(
        posts,
        [
            alarm([0, 1, 2, 19, 20]),  # 3 of 5 in the story of 10
            alarm([0, 1, 19, 20]),  # half
            alarm([10, 11, 12]),  # all, but in a story of 9
            alarm([19, 20]),  # chatter only
        ],
    )
    assert judged.right.tolist() == [True, False, False, False]
    assert judged.story.tolist() == [0, 0, 1, -1]
    assert judged.share.tolist() == pytest.approx([0.6, 0.5, 1.0, 0.0])


def test_no_alarm_gives_no_precision_and_no_recall():
    posts = table([0] * 10)
    scores, _, _ = score_alarms(posts, StoryTimeline(posts), [])
    assert (scores["alerts"], scores["precision"]) == (0, None)
    assert scores["recall"][0]["recall"] == 0
    assert scores["recall"][1]["recall"] is None  # no story of 20 posts
    assert scores["recall"][0]["posts"] == {"median": None, "p90": None}


def test_posts_and_minutes_until_the_first_right_alert():
    # Story 0 at even places, chatter at odd ones, a minute apart.
    posts = table([0 if i % 2 == 0 else -1 for i in range(40)])
    alarms = [
        alarm([8, 10], arrived=13, raised_at=13 * MINUTE),
        alarm([0, 2], arrived=31, raised_at=31 * MINUTE),
        alarm([1, 3], arrived=4, raised_at=4 * MINUTE),  # wrong, so it finds nothing
    ]
    scores, _, delays = score_alarms(posts, StoryTimeline(posts), alarms)
    assert delays.posts.tolist() == [7]  # places 0, 2 ... 12
    assert delays.minutes.tolist() == [13]
    assert scores["precision"] == pytest.approx(2 / 3)
    assert scores["recall"][1] == {
        "min_posts": 20, "stories": 1, "found": 1, "recall": 1.0,
        "posts": {"median": 7, "p90": 7}, "minutes": {"median": 13, "p90": 13},
    }  # fmt: skip


def test_the_raising_post_itself_counts_as_arrived():
    posts = table([0] * 10)
    assert StoryTimeline(posts).posts_until(0, 4) == 5


def test_recall_counts_each_story_once_whatever_its_alerts():
    posts = table([0] * 10 + [1] * 20)
    alarms = [alarm([0, 1]), alarm([2, 3]), alarm([4, 5])]
    scores, _, _ = score_alarms(posts, StoryTimeline(posts), alarms)
    assert [(r["found"], r["stories"]) for r in scores["recall"][:2]] == [(1, 2), (0, 1)]


def test_pace_is_the_datas_own_bound():
    posts = table([0] * 10, time=[i * HOUR for i in range(10)])
    pace = story_pace(posts, StoryTimeline(posts), 10)
    assert [(p["post"], p["median"]) for p in pace] == [
        (2, 60), (3, 120), (5, 240), (8, 420), (10, 540),
    ]  # fmt: skip


def test_quantiles_leave_out_the_unknown():
    assert quantiles(np.array([1.0, np.nan, 3.0])) == {"median": 2.0, "p90": 2.8}


def test_days_are_utc_days_with_posts():
    assert days_with_posts(table([-1] * 4, time=[0, DAY - 1, DAY, 9 * DAY])) == 3
    assert days_with_posts(table([-1], time=[np.nan])) == 0


def literal_window(times, words):
    """Posts and distinct wordings of the last 24 h at each post of one rumor, in arrival order."""
    now = -np.inf
    seen, result = [], []
    for time, word in zip(times, words, strict=True):
        now = max(now, time)
        seen.append((now, word))
        inside = [w for t, w in seen if t > now - DAY]
        result.append((len(inside), len(set(inside))))
    return result


def test_window_counts_are_what_their_definition_says():
    random = np.random.default_rng(5)
    times = np.sort(random.uniform(0, 5 * DAY, 60))
    times[20:23] = times[20:23][::-1]
    words = [f"w{i}" for i in random.integers(0, 6, 60)]
    counts = window_counts(table([-1] * 60, time=times, arrival=[0] * 60, text=words))
    found = list(zip(counts.posts.tolist(), counts.wordings.tolist(), strict=True))
    assert found == literal_window(times, words)


def test_a_rule_fires_once_a_rumor_at_the_post_that_reaches_k():
    #        rumor 0: three posts in a day; rumor 1: three posts over three days
    arrival = [0, 1, 0, 1, 0, 1, 0]
    time = [0, 0, HOUR, DAY, 2 * HOUR, 2 * DAY, 3 * HOUR]
    posts = table([-1] * 7, time=time, arrival=arrival)
    counts = window_counts(posts)
    fired = rule_alarms(posts, counts, counts.posts, 3)
    assert [(a.rows.tolist(), a.arrived, a.raised_at) for a in fired] == [([0, 2, 4], 4, 2 * HOUR)]


def test_a_post_exactly_a_day_old_is_outside_the_window():
    posts = table([-1] * 3, time=[0, DAY, 2 * DAY - 1], arrival=[0] * 3)
    assert window_counts(posts).posts.tolist() == [1, 1, 2]


def test_resharing_is_not_a_new_wording():
    text = ["Đập sắp vỡ!", "RT @ban: đập sắp vỡ! http://vd.example/1", "Đập  sắp vỡ! @an", "vỡ đập"]
    counts = window_counts(table([-1] * 4, arrival=[0] * 4, text=text))
    assert counts.wordings.tolist() == [1, 1, 1, 2]
    assert shared_wording("artful") == "artful"


def line(alert_id, level, post_ids, raised_by, **more):
    fields = {
        "raised_at": "1970-01-01T00:10:00.000Z", "rumor_id": "r0", "score": 1.0,
        "final_rumor_id": "r0", "headline": "Đập sắp vỡ", "category": None,
    }  # fmt: skip
    fields.update(more)
    return AlertLine(
        alert_id=alert_id, level=level, post_ids=post_ids, raised_by=raised_by, **fields
    )


def test_levels_are_judged_apart_and_a_direct_confirm_counts_at_both():
    posts = table([0] * 10 + [-1] * 4, arrival=[0] * 10 + [1] * 4)
    alerts = score_alerts(
        posts,
        [
            line("a1", "suggest", ["p0", "p1"], "p2"),
            line("a1", "confirm", ["p0", "p1", "p2"], "p5"),
            line("a2", "confirm", ["p10", "p11"], "p12", final_rumor_id="r1", category="scam"),
        ],
    )
    suggest, confirm = alerts["levels"]["suggest"], alerts["levels"]["confirm"]
    assert (suggest["alerts"], suggest["right"]) == (2, 1)
    assert (confirm["alerts"], confirm["right"]) == (2, 1)
    assert suggest["delays"] == [{"story": "s0", "size": 10, "posts": 3, "minutes": 10.0}]
    assert confirm["delays"][0]["posts"] == 6
    assert [w["reason"] for w in suggest["wrong"]] == ["chatter only"]
    assert suggest["by_category"] == [
        {"category": "none", "alerts": 1, "right": 1},
        {"category": "scam", "alerts": 1, "right": 0},
    ]
    assert suggest["per_day"] == 2


def test_one_id_in_two_sources_means_the_post_of_the_alerts_rumor():
    posts = table([-1] * 10 + [0] * 10, rumor_id=["r9"] * 10 + ["r0"] * 10)
    posts.post_id[10:13] = ["p0", "p1", "p2"]
    alerts = score_alerts(posts, [line("a1", "suggest", ["p0", "p1"], "p2")])
    assert alerts["levels"]["suggest"]["precision"] == 1
    assert alerts["levels"]["suggest"]["delays"][0]["posts"] == 3


def test_alerts_without_labels_are_counted_and_listed():
    alerts = score_alerts(table([-1] * 5), [line("a1", "suggest", ["p0"], "p1")])
    assert alerts["levels"]["suggest"]["alerts"] == 1
    assert alerts["points"] == []
    assert alerts["listed"][0]["headline"] == "Đập sắp vỡ"


def test_post_ids_that_were_not_folded_are_counted():
    alerts = score_alerts(table([0] * 10), [line("a1", "suggest", ["p0", "gone"], "p1")])
    assert alerts["unknown_post_ids"] == 1
