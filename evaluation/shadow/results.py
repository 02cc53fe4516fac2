"""What a shadow found, as one dictionary that JSON can hold, and as lines for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import Any, get_args

from agents.replay_files import iso
from config import Settings
from config.changing import fold_values
from evaluation.excerpts import excerpt
from evaluation.shadow.comparing import Fate, Pair, Sighting, compare, same
from evaluation.shadow.side import LEAST_POSTS, Side
from evaluation.terminal import columns
from evaluation.wording import DASH, count, figure, minutes, percent, quantity
from streams.time import NEVER

SCHEMA = 1
LISTED = 20
"""Alerts of a kind that are printed; the JSON has all."""

DAY_MS = 86_400_000
FATES: tuple[Fate, ...] = get_args(Fate)

TITLES = {
    "appears": "Alerts that appear under the candidate",
    "vanishes": "Alerts that vanish under the candidate",
    "earlier": "Alerts that come earlier",
    "later": "Alerts that come later",
    "raised": "Alerts that reach confirm under the candidate alone",
    "lowered": "Alerts that stay at suggest under the candidate",
}


def differences(running: Settings, candidate: Settings) -> dict[str, list[Any]]:
    """Settings of the folds that differ: [in force, candidate] by name; None where one has no such entry."""
    ours, theirs = fold_values(running), fold_values(candidate)
    names = sorted({*ours, *theirs})
    return {n: [ours.get(n), theirs.get(n)] for n in names if ours.get(n) != theirs.get(n)}


def results(
    running: Settings, candidate: Settings, now: Side, then: Side, first_at: int | None
) -> dict[str, Any]:
    """`first_at`: event time of the first post, ms; None before there is one."""
    pairs = compare(now.alerts(), then.alerts())
    fates = Counter(pair.fate for pair in pairs)
    ours, theirs = list(now.rumors()), list(then.rumors())
    matched = same(ours, theirs)
    identical = sum(set(ours[one]) == set(theirs[other]) for one, other in matched)
    span = now.watermark - first_at if first_at is not None and now.watermark != NEVER else 0
    return {
        "schema": SCHEMA,
        "settings": {"in_force": running.sha256[:12], "candidate": candidate.sha256[:12]},
        "changed": differences(running, candidate),
        "posts": now.folded,
        "days": span / DAY_MS,
        "sides": {
            "in_force": _side(now, ours, span),
            "candidate": _side(then, theirs, span),
        },
        "rumors": {
            "least_posts": LEAST_POSTS,
            "identical": identical,
            "changed": len(matched) - identical,
            "appear": len(theirs) - len(matched),
            "vanish": len(ours) - len(matched),
        },
        "fates": {fate: fates.get(fate, 0) for fate in FATES},
        "alerts": [_pair(pair) for pair in pairs if pair.fate != "same"],
    }


def _side(side: Side, rumors: Sequence[Sequence[str]], span: int) -> dict[str, Any]:
    alerts = side.alerts()
    days = span / DAY_MS
    return {
        "rumors": len(rumors),
        "suggest": len(alerts),
        "confirm": sum(alert.confirmed_at is not None for alert in alerts),
        "per_day": len(alerts) / days if days else None,
        "posts_median": median([alert.posts_then for alert in alerts]) if alerts else None,
    }


def _pair(pair: Pair) -> dict[str, Any]:
    return {
        "fate": pair.fate,
        "minutes": pair.minutes,
        "posts": pair.posts,
        "in_force": _sighting(pair.now),
        "candidate": _sighting(pair.then),
    }


def _sighting(sighting: Sighting | None) -> dict[str, Any] | None:
    if sighting is None:
        return None
    confirmed = sighting.confirmed_at
    return {
        "alert_id": sighting.alert_id,
        "headline": excerpt(sighting.headline),
        "raised_at": iso(sighting.raised_at),
        "posts": sighting.posts_then,
        "level": "suggest" if confirmed is None else "confirm",
        "confirmed_at": None if confirmed is None else iso(confirmed),
    }


def text(told: dict[str, Any]) -> str:
    """A comparison as a few tables."""
    changed = told["changed"]
    lines = [
        f"posts     {told['posts']:,} folded by both, over {told['days']:.1f} days of their time"
    ]
    lines += [f"candidate {name}: {old} → {new}" for name, (old, new) in changed.items()]
    if not changed:
        lines.append("candidate the same as the settings in force")
    ours, theirs = told["sides"]["in_force"], told["sides"]["candidate"]
    head = ["", "in force", "candidate"]
    rows = [
        [f"rumors of {told['rumors']['least_posts']} posts or more", *_both(ours, theirs, "rumors", count)],
        ["alerts at suggest", *_both(ours, theirs, "suggest", count)],
        ["alerts at confirm", *_both(ours, theirs, "confirm", count)],
        ["alerts a day", *_both(ours, theirs, "per_day", figure)],
        ["posts until the alert, median", *_both(ours, theirs, "posts_median", quantity)],
    ]  # fmt: skip
    for name, title in QUALITY.items() if "quality" in told else ():
        pair = [told["quality"][side][name] for side in ("in_force", "candidate")]
        rows.append([title, *(percent(value) if value is not None else DASH for value in pair)])
    rumors = told["rumors"]
    lines += [
        "",
        *columns(head, rows),
        "",
        f"rumors    {rumors['identical']:,} the same, {rumors['changed']:,} with other posts, "
        f"{rumors['appear']:,} appear, {rumors['vanish']:,} vanish",
        "alerts    " + ", ".join(f"{n:,} {fate}" for fate, n in told["fates"].items()),
    ]
    for fate, title in TITLES.items():
        chosen = [row for row in told["alerts"] if row["fate"] == fate]
        if chosen:
            lines += ["", title, *_listed(chosen)]
            if len(chosen) > LISTED:
                lines.append(f"  and {len(chosen) - LISTED:,} more")
    return "\n".join(lines)


QUALITY = {
    "rumor_f1": "B-cubed F1, rumors",
    "event_f1": "B-cubed F1, events",
    "precision": "precision of alerts at suggest",
    "recall": "recall of stories of 20 posts or more",
}


def _both(ours: dict[str, Any], theirs: dict[str, Any], name: str, write: Any) -> list[str]:
    return [write(ours[name]), write(theirs[name])]


def _listed(rows: Sequence[dict[str, Any]]) -> list[str]:
    head = ["raised", "posts", "shift", "headline"]
    table = []
    for row in rows[:LISTED]:
        stands = row["in_force"] or row["candidate"]
        shift = DASH
        if row["minutes"]:
            sign = "+" if row["minutes"] > 0 else "-"
            shift = f"{sign}{minutes(abs(row['minutes']))}, {row['posts']:+d} posts"
        table.append([stands["raised_at"][:16].replace("T", " "), f"{stands['posts']}", shift,
                      stands["headline"]])  # fmt: skip
    return columns(head, table, left=(0, 3))
