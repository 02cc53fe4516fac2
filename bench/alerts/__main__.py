"""Alerts on labelled posts: precision, recall and posts until the alert, by level.

    python -m bench.alerts FILE[:RATE]... [--set alert.suggest.score=.7]... [--cache DIR] [--out FILE.json]

RATE gives posts without a time steady times, so many an hour. The door and the cluster fold run once
a file and their changes are kept in the cache, so that a rule's other settings cost the alert fold
alone. An alert is right when 60 % of its posts belong to one story of 10 posts or more; posts until
the alert are the story's that had arrived at the post that raised it.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections import Counter
from pathlib import Path

import numpy as np

import config
from agents.stages import alert_fold, door_for, encoder_for
from bench.alerts.changes import Source, changes
from streams.records import Outcome

RIGHT_SHARE, RIGHT_POSTS = 0.60, 10  # as in evaluation.alert_metrics
SIZES = (50, 20)


def main() -> None:
    """Fold each file and print its table."""
    parser = argparse.ArgumentParser(prog="python -m bench.alerts", description=__doc__)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--cache", type=Path, default=Path("out/alerts"))
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    env = {"TINDON_INTAKE__PSEUDONYM_KEY": "the key of the bench"}
    for given in arguments.set:
        name, value = given.split("=", 1)
        env["TINDON_" + name.upper().replace(".", "__")] = value
    settings = config.load(None, env).settings
    results = {}
    for given in arguments.files:
        path, _, rate = given.partition(":")
        source = Source(path, float(rate) if rate else None)
        results[source.name] = measured(source, settings, arguments.cache)
        print(source.name)
        for level, row in results[source.name].items():
            print(f"  {level:8} " + "  ".join(f"{k} {_told(v)}" for k, v in row.items()))
    if arguments.out:
        arguments.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def measured(
    source: Source, settings: config.Settings, cache: Path
) -> dict[str, dict[str, float | None]]:
    """Level -> its figures over one file."""
    fold = alert_fold(settings, door_for(settings, encoder_for(settings), replay=True))
    order: list[str] = []
    raised = []
    for change in changes(source, settings, cache):
        effects = fold.apply(change)
        order += [change.rows.id[i] for i in np.flatnonzero(change.rows.outcome == Outcome.FOLDED)]
        raised += [(alert, len(order)) for alert in effects.raised]
    story_of = _stories(source.path)
    told = [story_of.get(post) for post in order]
    size = Counter(story for story in told if story)
    result = {}
    for level in ("suggest", "confirm"):
        first: dict[str, int] = {}
        seen: set[str] = set()
        right = alerts = 0
        for alert, arrived in raised:
            if alert.alert_id in seen or (level == "confirm" and alert.level != level):
                continue
            seen.add(alert.alert_id)
            alerts += 1
            named = Counter(filter(None, map(story_of.get, alert.post_ids))).most_common(1)
            if not named:
                continue
            ((story, posts),) = named
            if posts >= RIGHT_SHARE * len(alert.post_ids) and size[story] >= RIGHT_POSTS:
                right += 1
                first.setdefault(story, told[:arrived].count(story))
        row: dict[str, float | None] = {"alerts": alerts}
        if size:
            row["precision"] = right / alerts if alerts else None
            for least in SIZES:
                wanted = [story for story in size if size[story] >= least]
                found = sum(story in first for story in wanted)
                row[f"recall_{least}"] = found / len(wanted) if wanted else None
            posts_until = [n for story, n in first.items() if size[story] >= min(SIZES)]
            for name, share in (("posts_median", 50), ("posts_p90", 90)):
                row[name] = float(np.percentile(posts_until, share)) if posts_until else None
        result[level] = row
    return result


def _stories(path: str) -> dict[str, str | None]:
    opened = gzip.open if path.endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8") as file:
        posts = map(json.loads, file)
        return {post["id"]: post.get("cluster") for post in posts}


def _told(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}".rstrip("0").rstrip(".")


if __name__ == "__main__":
    main()
