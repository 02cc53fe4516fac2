"""Curves of a study: what each setting does, and whether the first part foretold the held-out one."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from evaluation.plots import BLUE, GREEN, GREY, ORANGE, VERMILION, new_figure, plain_axes, svg_of
from evaluation.tuning.results import slice_through

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 4
"""Settings beside each other; of more, the first four are drawn, and the report lists them all."""

MOST_TICKS = 6
"""Tried values that are written below a curve; of more, round numbers stand there."""

PARTS = (("first", "-", "first part"), ("held_out", "--", "held-out part"))
LINES = (
    ("B-cubed F1", (("rumor", BLUE, "rumors"), ("event", ORANGE, "events"))),
    ("alerts at suggest", (("precision", VERMILION, "precision"), ("recall", GREEN, "recall"))),
)
PNG_DPI = 150


def drawn(results: dict[str, Any]) -> dict[str, tuple[Figure, str]]:
    """The figures by name, each with a sentence for those who cannot see it."""
    return {
        "curves": (
            _curves(results),
            "Curves: quality of clustering and of alerts by the value of each setting, "
            "on the first part and on the held-out part",
        ),
        "cost": (
            _cost(results),
            "Curves: median posts until the alert, and alerts a day, by the value of each setting",
        ),
        "held_out": (
            _scatter(results),
            "Points: each combination's goal on the first part against the held-out part",
        ),
    }


def svg(figure: tuple[Figure, str]) -> str:
    return svg_of(*figure)


def png(figure: tuple[Figure, str]) -> bytes:
    buffer = io.BytesIO()
    figure[0].savefig(
        buffer, format="png", dpi=PNG_DPI, facecolor="white", metadata={"Software": None}
    )
    return buffer.getvalue()


def _curves(results: dict[str, Any]) -> Figure:
    names = [axis["name"] for axis in results["axes"]][:COLUMNS]
    figure = new_figure(3.4 * max(len(names), 2), 5.4)
    grid = figure.subplots(len(LINES), len(names), sharey="row", squeeze=False)
    for row, (title, lines) in enumerate(LINES):
        for column, name in enumerate(names):
            axes = grid[row][column]
            cells = slice_through(results["cells"], results["choice"]["chosen"], name)
            for figure_name, colour, label in lines:
                for part, style, part_label in PARTS:
                    _line(axes, cells, name, part, figure_name, colour, style,
                          f"{label}, {part_label}")  # fmt: skip
            _frame(axes, results, name, last=row == len(LINES) - 1)
        grid[row][0].set_ylabel(title)
        grid[row][0].legend(frameon=False, fontsize=7, loc="best")
    return figure


def _cost(results: dict[str, Any]) -> Figure:
    names = [axis["name"] for axis in results["axes"]][:COLUMNS]
    figure = new_figure(3.4 * max(len(names), 2), 4.6)
    grid = figure.subplots(2, len(names), sharey="row", squeeze=False)
    rows = ("posts until the alert, median", "alerts a day")
    for row, title in enumerate(rows):
        for column, name in enumerate(names):
            axes = grid[row][column]
            cells = slice_through(results["cells"], results["choice"]["chosen"], name)
            for level, colour in (("suggest", BLUE), ("confirm", VERMILION)):
                for part, style, label in PARTS:
                    points = [
                        (c["values"][name], _costs(c[part]["levels"][level])[row]) for c in cells
                    ]
                    known = [(x, y) for x, y in points if y is not None]
                    axes.plot(
                        [x for x, _ in known], [y for _, y in known], style, marker="o",
                        markersize=3, color=colour, label=f"{level}, {label}",
                    )  # fmt: skip
            _frame(axes, results, name, last=row == 1)
        grid[row][0].set_ylabel(title)
        grid[row][0].set_ylim(bottom=0)  # shared by the row, and set when all of it is drawn
    grid[0][0].legend(frameon=False, fontsize=7, loc="best")
    return figure


def _costs(level: dict[str, Any]) -> tuple[float | None, float | None]:
    return level["posts_until"]["median"], level["per_day"]


def _scatter(results: dict[str, Any]) -> Figure:
    figure = new_figure(4.8, 4.2)
    axes = figure.subplots()
    goal, cells = results["goal"], results["cells"]
    marks = ((results["choice"]["chosen"], "D", VERMILION, "chosen"), (0, "s", BLUE, "in force"))
    points = [(c["first"][goal]["value"], c["held_out"][goal]["value"]) for c in cells]
    known = [(x, y) for x, y in points if x is not None and y is not None]
    axes.plot(
        [x for x, _ in known], [y for _, y in known], "o", color=GREY, markersize=4, alpha=0.6
    )
    for at, marker, colour, label in marks:
        x, y = points[at]
        if x is not None and y is not None:
            axes.plot(x, y, marker, color=colour, markersize=8, label=label, fillstyle="none",
                      markeredgewidth=2)  # fmt: skip
    axes.set_xlabel(f"{GOAL_NAMES[goal]}, first part")
    axes.set_ylabel(f"{GOAL_NAMES[goal]}, held-out part")
    plain_axes(axes, "both")
    axes.legend(frameon=False)
    return figure


GOAL_NAMES = {
    "rumor": "B-cubed F1 of rumors",
    "event": "B-cubed F1 of events",
    "alerts": "F1 of alerts at suggest",
}


def _line(
    axes: Axes,
    cells: Sequence[dict[str, Any]],
    name: str,
    part: str,
    figure: str,
    colour: str,
    style: str,
    label: str,
) -> None:
    known = [
        (cell["values"][name], cell[part][figure])
        for cell in cells
        if cell[part][figure]["value"] is not None
    ]
    x = [value for value, _ in known]
    axes.plot(
        x,
        [f["value"] for _, f in known],
        style,
        marker="o",
        markersize=3,
        color=colour,
        label=label,
    )
    if part == "first":
        axes.fill_between(
            x, [f["low"] for _, f in known], [f["high"] for _, f in known], color=colour,
            alpha=0.12, linewidth=0,
        )  # fmt: skip


def _frame(axes: Axes, results: dict[str, Any], name: str, *, last: bool) -> None:
    default = next(axis["default"] for axis in results["axes"] if axis["name"] == name)
    chosen = results["cells"][results["choice"]["chosen"]]["values"][name]
    axes.axvline(default, color=GREY, linewidth=1, linestyle=":")
    if chosen != default:
        axes.axvline(chosen, color=VERMILION, linewidth=1, linestyle=":")
    plain_axes(axes, "y")
    tried = next(axis["values"] for axis in results["axes"] if axis["name"] == name)
    if len(tried) <= MOST_TICKS:
        axes.set_xticks(tried, [f"{value:g}" for value in tried])
    if last:
        axes.set_xlabel(name)
