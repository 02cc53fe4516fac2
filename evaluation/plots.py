"""The report's plots as inline SVG; the same results give the same bytes.

Colours are Okabe and Ito's set, which people with colour blindness can tell apart.
"""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from evaluation.errors import EvaluationError
from evaluation.naive_rules import POSTS_RULE, WORDINGS_RULE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The k that are written at their points; more would run into each other.
LABELLED_KS = (2, 4, 6, 10, 15)
BLUE, ORANGE, GREEN, VERMILION, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#8A8F98"
# Colour of each naive rule, and where its k stand beside the points (in points of print).
RULES = {WORDINGS_RULE: (ORANGE, 6), POSTS_RULE: (GREEN, -12)}
LEVEL_COLOURS = {"suggest": BLUE, "confirm": VERMILION}
DELAY_TICKS = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 100, 200, 500, 1000, 2000, 5000, 10000)
# What precision is drawn against: field of a point, and its name on the axis. Recall is drawn over
# stories of so many posts that the desk wants every one.
TRADED = {
    "recall_20": "recall of stories with 20 or more posts",
    "posts_median": "median posts of the story until the alert",
}


def band_name(low: int, high: int | None) -> str:
    """A story size band in words: "1", "2-9", "100+"."""
    if high is None:
        return f"{low}+"
    return str(low) if low == high else f"{low}-{high}"


def size_bars(rows: Sequence[dict[str, Any]]) -> str:
    """B-cubed F1 by story size, rumor and event level side by side."""
    figure = new_figure(9.6, 3.0)
    axes = figure.subplots()
    place = np.arange(len(rows))
    for shift, level, colour in ((-0.19, "rumor", BLUE), (0.19, "event", ORANGE)):
        values = [row[level]["f1"] or 0.0 for row in rows]
        bars = axes.bar(place + shift, values, 0.36, color=colour, label=f"{level} level")
        axes.bar_label(bars, fmt="%.2f", fontsize=8, padding=2)
    names = [f"{band_name(row['from'], row['to'])}\n{row['stories']} stories" for row in rows]
    axes.set_xticks(place, names)
    axes.set_ylim(0, 1.12)
    axes.set_yticks(np.linspace(0, 1, 6))
    axes.set_xlabel("labelled posts of the story")
    axes.set_ylabel("B-cubed F1")
    plain_axes(axes, "y")
    axes.legend(frameon=False, ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return svg_of(figure, "Bar chart: B-cubed F1 by story size, at rumor and event level")


def tradeoff(points: Sequence[dict[str, Any]]) -> str:
    """Precision against recall and against delay: both levels, their score curves, naive rules.

    A chart without a single point is left out; empty when that is both of them.
    """
    drawn = {field: label for field, label in TRADED.items() if _known(points, field)[0]}
    if not drawn:
        return ""
    figure = new_figure(9.6, 3.9)
    charts = figure.subplots(1, len(drawn), sharey=True, squeeze=False)[0]
    for axes, (field, label) in zip(charts, drawn.items(), strict=True):
        for rule, (colour, shift) in RULES.items():
            _curve(axes, [p for p in points if p["rule"] == rule], field, colour, shift)
        for level, colour in LEVEL_COLOURS.items():
            curve = [p for p in points if p["rule"] == f"tindon {level}, score"]
            x, y, _ = _known(curve, field)
            axes.plot(x, y, ".", color=colour, alpha=0.45, markersize=5)
            x, y, _ = _known([p for p in points if p["rule"] == f"tindon {level}"], field)
            name = f"tindon {level}"
            axes.plot(x, y, "D", color=colour, markersize=9, label=name, zorder=5)
        axes.set_xlabel(label)
        plain_axes(axes, "both")
    charts[0].set_ylabel("precision")
    handles, names = charts[0].get_legend_handles_labels()
    figure.legend(handles, names, frameon=False, ncols=4, loc="outside upper center")
    return svg_of(
        figure,
        f"Precision against {' and against '.join(drawn.values())}, for both alert levels and the "
        "two naive rules",
    )


def delay_curves(levels: dict[str, Any]) -> str:
    """Share of all stories of 10 or more posts that were found by their n-th post."""
    figure = new_figure(9.6, 3.2)
    axes = figure.subplots()
    for level, colour in LEVEL_COLOURS.items():
        stories = levels[level]["recall"][0]["stories"]
        posts = np.sort([row["posts"] for row in levels[level]["delays"]])
        if stories and len(posts):
            share = np.arange(1, len(posts) + 1) / stories
            axes.step(posts, share, where="post", color=colour, label=f"tindon {level}")
    axes.set_xscale("log")
    axes.set_ylim(0, 1.03)
    low, high = axes.get_xlim()
    axes.set_xticks([tick for tick in DELAY_TICKS if low <= tick <= high] or [1])
    axes.set_xticks([], minor=True)
    axes.xaxis.set_major_formatter("{x:.0f}")
    axes.set_xlabel("posts of the story that had arrived at its first right alert")
    axes.set_ylabel("share of stories found")
    plain_axes(axes, "both")
    axes.legend(frameon=False, loc="lower right")
    return svg_of(figure, "Line chart: share of stories found by number of posts arrived")


def _curve(
    axes: "Axes", points: Sequence[dict[str, Any]], field: str, colour: str, shift: float
) -> None:
    x, y, ks = _known(points, field)
    name = points[0]["rule"] if points else None
    axes.plot(x, y, "o-", color=colour, markersize=4, linewidth=1.2, label=name)
    for i, k in enumerate(ks):
        if k in LABELLED_KS:
            axes.annotate(
                f"{k:g}", (x[i], y[i]), (0, shift), textcoords="offset points",
                ha="center", fontsize=7, color=colour,
            )  # fmt: skip


def _known(
    points: Sequence[dict[str, Any]], field: str
) -> tuple[list[float], list[float], list[float]]:
    """x, precision and k of the points that have both coordinates."""
    known = [p for p in points if p[field] is not None and p["precision"] is not None]
    return [p[field] for p in known], [p["precision"] for p in known], [p["k"] for p in known]


def plain_axes(axes: "Axes", grid: Literal["both", "x", "y"]) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GREY)
    axes.grid(axis=grid, color="#E6E8EB", linewidth=0.8)
    axes.set_axisbelow(True)


def new_figure(width: float, height: float) -> "Figure":
    """An empty figure of this size in inches."""
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError:
        raise EvaluationError(
            "the report's plots need matplotlib; run: pip install 'tindon[evaluate]'"
        ) from None
    # A fixed salt makes the element ids, and so the file, the same on every run.
    matplotlib.rcParams.update({"svg.hashsalt": "tindon", "font.size": 9})
    return Figure(figsize=(width, height), layout="constrained")


def svg_of(figure: "Figure", description: str) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None}, transparent=True)
    drawing = buffer.getvalue()
    drawing = drawing[drawing.index("<svg") :]
    return drawing.replace("<svg", f'<svg role="img" aria-label="{description}"', 1)
