"""Alerts over the invented days: which stories are alerted, and what else is.

    python -m bench.alerts.scenario [--bank main|second] [--set NAME=VALUE]... [--cache DIR]

An alert is a story's when 60 % of its posts are the story's. Rumors and true stories should each be
alerted once; adverts, greetings, viral and everyday talk should not.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import config
from agents.stages import alert_fold, door_for, encoder_for
from bench.alerts.changes import Source, changes
from streams.sources.scenario import BANKS, TOLD, generate, stories, truth

SEEDS = {"main": 7, "second": 11}
SHARE = 0.60


class Found(NamedTuple):
    """An alert, and what it was about."""

    story: str  # "" for everyday talk, "mixed" when nothing has its share
    posts: int
    until: int  # the story's posts that had arrived by then
    level: str
    category: str
    at_h: float  # hours after the story's first post
    headline: str


def main() -> None:
    """Fold each bank's day and print its table."""
    parser = argparse.ArgumentParser(prog="python -m bench.alerts.scenario", description=__doc__)
    parser.add_argument("--bank", choices=BANKS, action="append")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--cache", type=Path, default=Path("out/alerts"))
    options = parser.parse_args()
    env = {"TINDON_INTAKE__PSEUDONYM_KEY": "the key of the bench"}
    for given in options.set:
        name, value = given.split("=", 1)
        env["TINDON_" + name.upper().replace(".", "__")] = value
    settings = config.load(None, env).settings
    for bank in options.bank or BANKS:
        told(bank, *alerts(bank, settings, options.cache))


def alerts(bank: str, settings: config.Settings, cache: Path) -> tuple[list[Found], int]:
    """The alerts of a bank's day in order, and how many rumors they cover."""
    cache.mkdir(parents=True, exist_ok=True)
    file = cache / f"{bank}.jsonl"
    posts = generate(SEEDS[bank], bank=bank)
    file.write_text("".join(json.dumps(p, ensure_ascii=False) + "\n" for p in posts), "utf-8")
    story_of = {name: true.story or "" for name, true in truth(SEEDS[bank], bank).items()}
    fold = alert_fold(settings, door_for(settings, encoder_for(settings), replay=True))
    arrived: Counter[str] = Counter()
    born: dict[str, int] = {}
    found: dict[str, Found] = {}
    covered: set[str] = set()
    for change in changes(Source(str(file)), settings, cache):
        effects = fold.apply(change)
        for assigned, at in zip(effects.assigned, change.rows.created_at.tolist(), strict=True):
            story = story_of[assigned.post_id]
            arrived[story] += 1
            born.setdefault(story, at)
        covered |= {d.rumor_id for d in effects.batch.rumors if d.covered_by}
        for raised in effects.raised:
            named = Counter(story_of[p] for p in raised.post_ids).most_common(1)[0]
            story = named[0] if named[1] >= SHARE * len(raised.post_ids) else "mixed"
            if raised.alert_id in found:
                found[raised.alert_id] = found[raised.alert_id]._replace(level=raised.level)
                continue
            found[raised.alert_id] = Found(
                story,
                len(raised.post_ids),
                arrived[story],
                raised.level,
                raised.category or "",
                (raised.raised_at - born.get(story, raised.raised_at)) / 3_600_000,
                raised.headline,
            )
    return list(found.values()), len(covered)


def told(bank: str, found: list[Found], covered: int) -> None:
    """Print a bank's tables."""
    kinds = {story.id: story.kind for story in stories(bank)}
    print(
        f"\n## {bank}, seed {SEEDS[bank]}: {len(found)} alerts, {covered} rumors covered by them\n"
    )
    print("| story | alerts | posts until the first | minutes | level | category |")
    print("|---|---:|---:|---:|---|---|")
    wanted = [story for story in stories(bank) if story.kind in TOLD]
    for story in wanted:
        own = [one for one in found if one.story == story.id]
        if not own:
            print(f"| {story.id} ({story.posts} posts) | 0 | | | | |")
            continue
        first = own[0]
        level = "confirm" if any(one.level == "confirm" for one in own) else "suggest"
        print(
            f"| {story.id} ({story.posts} posts) | {len(own)} | {first.until} "
            f"| {first.at_h * 60:.0f} | {level} | {first.category} |"
        )
    names = {one.story for one in found}
    alerted = sum(story.id in names for story in wanted)
    again = sum(kinds.get(one.story) in TOLD for one in found) - alerted
    print(f"\nalerted {alerted} of {len(wanted)} stories, {again} alerts on a story that had one")
    for kind in ("advert", "greeting", "viral"):
        own = [one for one in found if kinds.get(one.story) == kind]
        waves = Counter(one.story for one in own)
        listed = ", ".join(f"{name} {n}" for name, n in sorted(waves.items()))
        print(f"{kind}: {len(own)} alerts ({listed or 'none'})")
    rest = Counter(one.story or "everyday talk" for one in found if one.story not in kinds)
    print(f"everyday talk and mixed: {sum(rest.values())} ({dict(rest)})")


if __name__ == "__main__":
    main()
