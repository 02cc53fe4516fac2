"""A study as one dictionary that JSON can hold: every figure of its report."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from config.changing import changed
from evaluation.scoring import without_nan
from evaluation.tuning.bands import band, draws, figure_of
from evaluation.tuning.choice import Scored, choose
from evaluation.tuning.grid import Axis, described
from evaluation.tuning.scoring import PARTS, PartScores, least_recall_size
from evaluation.tuning.study import SCHEMA, Study

BANDED = ("rumor", "event", "precision", "recall", "alerts")
CLUSTERING = ("cluster.", "alert.macro_threshold", "alert.event_threshold")


def natural_goal(axes: Sequence[Axis]) -> str:
    """Quality of rumors when a swept setting moves posts between them, else that of alerts."""
    moved = [axis.name for axis in axes if axis.name.startswith(CLUSTERING)]
    if not moved:
        return "alerts"
    return "event" if moved == ["alert.event_threshold"] else "rumor"


def results(study: Study, goal: str) -> dict[str, Any]:
    """Every combination with its figures and bands, the choice, and what is expected of it."""
    plan = study.plan
    choice = choose(study.scored, plan.axes, goal)
    proposed = study.scored[choice.proposed]
    told: dict[str, Any] = {
        "schema": SCHEMA,
        "tindon_version": version("tindon"),
        "files": [Path(path).name for path in plan.reading.paths],
        "share": plan.share,
        "posts_first": study.split,
        "parts": {
            part: {
                "posts": scores.posts,
                "labelled": scores.labelled,
                "stories": scores.stories,
                "recall_from": least_recall_size(scores.by_story),
            }
            for part, scores in study.scored[0].parts.items()
        },
        "goal": goal,
        "axes": described(plan.axes),
        "notices": list(study.notices),
        "cells": [_cell(cell) for cell in study.scored],
        "choice": {
            "best": choice.best,
            "chosen": choice.chosen,
            "proposed": choice.proposed,
            "gain": {part: _banded(gain) for part, gain in choice.gain.items()},
            "flat": choice.flat,
        },
        "expected": _expected(study.scored[choice.chosen], study.scored[0]),
        "proposed": {
            name: value
            for (name, value), (_, stands) in zip(
                proposed.values, study.scored[0].values, strict=True
            )
            if value != stands
        },
        "settings_in_force": plan.settings.sha256[:12],
    }
    told["settings_proposed"] = changed(plan.settings, told["proposed"], "the study").sha256[:12]
    told["notices"] += _edges(told)
    finite: dict[str, Any] = without_nan(told)
    return finite


def _cell(cell: Scored) -> dict[str, Any]:
    return {
        "values": dict(cell.values),
        **{part: _figures(cell.parts[part]) for part in PARTS},
    }


def _figures(scores: PartScores) -> dict[str, Any]:
    weights = draws(len(scores.by_story.posts))
    return {
        **{name: _banded(band(figure_of(scores.by_story, name, weights))) for name in BANDED},
        "clustering": scores.clustering,
        "levels": scores.alerts,
    }


def _banded(figures: tuple[float, float, float]) -> dict[str, float]:
    value, low, high = figures
    return {"value": value, "low": low, "high": high}


def _expected(chosen: Scored, in_force: Scored) -> list[dict[str, Any]]:
    """Figures on the held-out part: in force, chosen, and the difference with its band."""
    ours, theirs = chosen.parts["held_out"], in_force.parts["held_out"]
    weights = draws(len(ours.by_story.posts))
    rows: list[dict[str, Any]] = []
    for name in BANDED:
        mine = figure_of(ours.by_story, name, weights)
        other = figure_of(theirs.by_story, name, weights)
        rows.append({
            "figure": name,
            "in_force": float(other[0]),
            "chosen": float(mine[0]),
            "change": _banded(band(mine - other)),
        })  # fmt: skip
    for name, of in (("posts_until", _posts_until), ("alerts_per_day", _per_day)):
        mine_one, other_one = of(ours), of(theirs)
        known = mine_one is not None and other_one is not None
        change = mine_one - other_one if known else None  # type: ignore[operator]
        rows.append({
            "figure": name,
            "in_force": other_one,
            "chosen": mine_one,
            "change": {"value": change, "low": None, "high": None},
        })  # fmt: skip
    return rows


def _posts_until(scores: PartScores) -> float | None:
    found: float | None = scores.alerts["suggest"]["posts_until"]["median"]
    return found


def _per_day(scores: PartScores) -> float | None:
    found: float | None = scores.alerts["suggest"]["per_day"]
    return found


def _edges(told: dict[str, Any]) -> list[str]:
    """Settings whose best value lies at the end of what was tried: the best may lie beyond."""
    notices = []
    at, goal = told["choice"]["best"], told["goal"]
    for axis in told["axes"]:
        name, value = axis["name"], told["cells"][at]["values"][axis["name"]]
        figures = {c["first"][goal]["value"] for c in slice_through(told["cells"], at, name)}
        if len(figures) > 1 and value in (axis["values"][0], axis["values"][-1]):
            notices.append(
                f"The best value of {name} ({value:g}) lies at the end of the values tried: "
                "a wider sweep may find a better one."
            )
    return notices


def slice_through(cells: Sequence[dict[str, Any]], at: int, name: str) -> list[dict[str, Any]]:
    """The combinations that differ from the one at `at` in one setting alone, by its value."""
    fixed = {other: value for other, value in cells[at]["values"].items() if other != name}
    chosen = [
        cell
        for cell in cells
        if all(cell["values"][other] == value for other, value in fixed.items())
    ]
    return sorted(chosen, key=lambda cell: cell["values"][name])
