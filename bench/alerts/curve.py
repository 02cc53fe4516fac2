"""Precision, recall and delay of the alerts and of two naive rules, as a table and a picture.

    python -m bench.alerts.curve FILE [--out bench/out]

Runs `tindon evaluate` (which defines every figure, docs/metrics.md) and writes alerts-curve.png. The
rules: k distinct wordings in 24 h, k posts in 24 h, on the same rumors. Each level is then held against
either rule at equal precision: the smallest k that is as precise as the level, or the most precise k when
none is.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

LEVELS = ("tindon suggest", "tindon confirm")
RULES = ("distinct wordings in 24 h", "posts in 24 h")
SHOWN = (
    "alerts",
    "precision",
    "recall_50",
    "recall_20",
    "posts_median",
    "posts_p90",
    "minutes_median",
)
CRISISTRACKER = (
    "CrisisTracker, 50-user stories: 10 % within 4 min, 50 % within 31 min, 90 % within 3.5 h"
)

Point = dict[str, Any]


def main() -> None:
    """Evaluate, print the tables, draw."""
    parser = argparse.ArgumentParser(prog="python -m bench.alerts.curve", description=__doc__)
    parser.add_argument("file")
    parser.add_argument("--out", type=Path, default=Path("bench/out"))
    options = parser.parse_args()
    command = [sys.executable, "-m", "cli.main", "evaluate", options.file, "--format", "json"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)["alerts"]
    points = found["points"]
    print("| rule | k | " + " | ".join(SHOWN) + " |")
    print("|---|---:|" + "---:|" * len(SHOWN))
    for point in points:
        if point["rule"] in LEVELS + RULES:
            print(_row(point))
    print("\nat equal precision:\n")
    for level in LEVELS:
        own = next(p for p in points if p["rule"] == level)
        print(_row(own))
        for rule in RULES:
            print(_row(equal(own, [p for p in points if p["rule"] == rule])))
    pace = found["pace"]
    print(
        f"\nminutes until a story's k-th post, {pace['stories']} stories of {pace['min_posts']}+ posts:"
    )
    for row in pace["minutes_to_post"]:
        print(
            f"  {row['post']}: median {_told(row['median'])}, 90th percentile {_told(row['p90'])}"
        )
    for name in ("suggest", "confirm"):
        for row in found["levels"][name]["recall"]:
            if row["min_posts"] == pace["min_posts"]:
                minutes = row["minutes"]
                print(
                    f"{name}: minutes median {_told(minutes['median'])}, p90 {_told(minutes['p90'])}"
                )
    print(CRISISTRACKER)
    options.out.mkdir(parents=True, exist_ok=True)
    print(draw(points, options.out / "alerts-curve.png"))


def equal(level: Point, rule: list[Point]) -> Point:
    """The rule's point with the smallest k that is as precise as the level; else its most precise one."""
    known = [p for p in rule if p["precision"] is not None]
    precise = [p for p in known if p["precision"] >= level["precision"]]
    return (
        min(precise, key=lambda p: p["k"]) if precise else max(known, key=lambda p: p["precision"])
    )


def _row(point: Point) -> str:
    k = "" if point["k"] is None else f"{point['k']:g}"
    return f"| {point['rule']} | {k} | " + " | ".join(_told(point[name]) for name in SHOWN) + " |"


def _told(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}".rstrip("0").rstrip(".")


def draw(points: list[Point], file: Path) -> Path:
    """Recall against precision, a point's size its delay in posts; the file."""
    from evaluation.plots import BLUE, GREEN, ORANGE, VERMILION, new_figure, plain_axes

    figure = new_figure(8.0, 4.6)
    left, right = figure.subplots(1, 2, sharey=True)
    colours = dict(zip(LEVELS + RULES, (BLUE, VERMILION, ORANGE, GREEN), strict=True))
    for axes, field in ((left, "recall_20"), (right, "posts_median")):
        for rule in RULES:
            own = [p for p in points if p["rule"] == rule and p[field] is not None]
            axes.plot([p[field] for p in own], [p["precision"] for p in own], "o-", color=colours[rule],
                      markersize=4, linewidth=1.2, label=f"k {rule}")  # fmt: skip
            for p in own:
                axes.annotate(f"{p['k']:g}", (p[field], p["precision"]), (0, 5), fontsize=7,
                              textcoords="offset points", ha="center", color=colours[rule])  # fmt: skip
        for level in LEVELS:
            curve = [p for p in points if p["rule"] == f"{level}, score" and p[field] is not None]
            axes.plot(
                [p[field] for p in curve],
                [p["precision"] for p in curve],
                ".",
                color=colours[level],
                alpha=0.5,
            )
            own = [p for p in points if p["rule"] == level]
            axes.plot(
                [p[field] for p in own],
                [p["precision"] for p in own],
                "D",
                color=colours[level],
                label=level,
            )
        plain_axes(axes, "both")
    left.set_xlabel("recall of stories with 20 or more posts")
    right.set_xlabel("median posts of the story until the alert")
    left.set_ylabel("precision")
    figure.legend(
        *left.get_legend_handles_labels(), frameon=False, ncols=4, loc="outside upper center"
    )
    figure.savefig(file, dpi=110)
    return file


if __name__ == "__main__":
    main()
