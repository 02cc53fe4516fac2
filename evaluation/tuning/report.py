"""The files of a study: results.json, report.html, the curves as PNG, and the proposed settings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from markupsafe import Markup

from evaluation.errors import EvaluationError
from evaluation.report import templates
from evaluation.tuning import plots
from evaluation.tuning.study import write_bytes, write_json
from evaluation.wording import DASH

RESULTS_FILE = "results.json"
REPORT_FILE = "report.html"
PROPOSED_FILE = "proposed.yaml"

FIGURE_NAMES = {
    "rumor": "B-cubed F1, rumors",
    "event": "B-cubed F1, events",
    "precision": "precision of alerts at suggest",
    "recall": "recall of alerts at suggest",
    "alerts": "F1 of alerts at suggest",
    "posts_until": "posts until the alert, median",
    "alerts_per_day": "alerts a day at suggest",
}
WHOLE = ("posts_until", "alerts_per_day")  # figures without three decimals


def write(results: dict[str, Any], out: Path) -> Path:
    """Write all files into `out`; returns the report's path. Raises EvaluationError."""
    try:
        figures = plots.drawn(results)
        write_json(out / RESULTS_FILE, results)
        for name, figure in figures.items():
            write_bytes(out / f"{name}.png", plots.png(figure))
        drawings = {name: Markup(plots.svg(figure)) for name, figure in figures.items()}
        write_bytes(out / REPORT_FILE, html(results, drawings).encode())
        write_bytes(out / PROPOSED_FILE, proposed(results).encode())
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise EvaluationError(f"{out}: {reason}; give a folder that can be written") from None
    return out / REPORT_FILE


def html(results: dict[str, Any], drawings: dict[str, Markup]) -> str:
    environment = templates()
    environment.filters["change"] = change
    environment.filters["setting"] = "{:g}".format
    return environment.get_template("tuning.html.j2").render(
        results=results,
        names=FIGURE_NAMES,
        goal=plots.GOAL_NAMES[results["goal"]],
        verdict=verdict(results),
        whole=WHOLE,
        plots=drawings,
        columns=plots.COLUMNS,
    )


def change(row: dict[str, Any]) -> str:
    """A difference with its band: +0.012 (+0.003 to +0.021)."""
    difference = row["change"]
    if difference["value"] is None:
        return DASH
    digits = 1 if row["figure"] in WHOLE else 3
    text = f"{difference['value']:+.{digits}f}"
    if difference["low"] is None:
        return text
    return f"{text} ({difference['low']:+.{digits}f} to {difference['high']:+.{digits}f})"


def verdict(results: dict[str, Any]) -> str:
    """What to do, in one or two sentences."""
    choice = results["choice"]
    goal = plots.GOAL_NAMES[results["goal"]]
    if choice["chosen"] == 0:
        if choice["best"] == 0:
            return f"Keep the settings in force: none of the others has a higher {goal}."
        return (
            f"Keep the settings in force: the best of the others is ahead in {goal} by no more than "
            "one standard error on the first part."
        )
    gain = choice["gain"]["held_out"]
    moved = _moved(results["cells"][choice["chosen"]]["values"], results["axes"])
    said = (
        f"{moved}: {goal} {gain['value']:+.3f} on the held-out part "
        f"(90 % band {gain['low']:+.3f} to {gain['high']:+.3f})."
    )
    if choice["proposed"] == 0:
        return f"Keep the settings in force: no gain is sure on the held-out part. Looked at was {said}"
    return f"Proposed is {said}"


def _moved(values: dict[str, Any], axes: list[dict[str, Any]]) -> str:
    return ", ".join(
        f"{axis['name']} {axis['default']:g} → {values[axis['name']]:g}"
        for axis in axes
        if values[axis["name"]] != axis["default"]
    )


def proposed(results: dict[str, Any]) -> str:
    """A settings file with the proposed values alone; without any when nothing should change."""
    tree: dict[str, Any] = {}
    for name, value in results["proposed"].items():
        at = tree
        *above, last = name.split(".")
        for part in above:
            at = at.setdefault(part, {})
        at[last] = value
    lines = [
        f"# Out of `tindon tune` over {', '.join(results['files'])}, Tindon {results['tindon_version']}.",
        f"# {verdict(results)}",
        f"# On the held-out part ({results['parts']['held_out']['stories']} stories), in force -> proposed:",
    ]
    for row in results["expected"] if tree else []:
        digits = 1 if row["figure"] in WHOLE else 3
        ends = [
            DASH if row[at] is None else f"{row[at]:.{digits}f}" for at in ("in_force", "chosen")
        ]
        lines.append(f"#   {FIGURE_NAMES[row['figure']]}: {ends[0]} -> {ends[1]}, {change(row)}")
    if not tree:
        lines[-1] = "# This file changes nothing."
    body = yaml.safe_dump(tree, allow_unicode=True, sort_keys=False) if tree else ""
    return "\n".join(lines) + "\n" + body


def text(results: dict[str, Any], out: Path) -> str:
    """A study as a few lines."""
    parts = results["parts"]
    lines = [
        f"posts     {results['posts_first']:,} in the first part with {parts['first']['stories']} "
        f"stories, {parts['held_out']['posts']:,} held out with {parts['held_out']['stories']}",
        f"tried     {len(results['cells'])} combinations of "
        + ", ".join(axis["name"] for axis in results["axes"]),
        f"goal      {plots.GOAL_NAMES[results['goal']]}",
        "",
        "  on the held-out part                in force    chosen  change (90 % band)",
    ]
    for row in results["expected"]:
        digits = 1 if row["figure"] in WHOLE else 3
        ends = [
            DASH if row[at] is None else f"{row[at]:.{digits}f}" for at in ("in_force", "chosen")
        ]
        lines.append(
            f"  {FIGURE_NAMES[row['figure']]:<34} {ends[0]:>9} {ends[1]:>9}  {change(row)}"
        )
    lines += [
        "",
        f"flatness  one step in one setting moves the goal by at most "
        f"{results['choice']['flat']['largest']:.3f} (first part)",
        *(f"note      {notice}" for notice in results["notices"]),
        verdict(results),
        f"report    {out / REPORT_FILE}",
        f"proposed  {out / PROPOSED_FILE}",
    ]
    return "\n".join(lines)


def as_json(results: dict[str, Any]) -> str:
    return json.dumps(results, ensure_ascii=False, allow_nan=False)
