"""The results on disk: results.json for programs, report.html for people."""

import json
import os
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from evaluation import plots, wording
from evaluation.clustering import VIEWS
from evaluation.errors import EvaluationError
from evaluation.terminal import VIEW_NAMES, notices

RESULTS_FILE = "results.json"
REPORT_FILE = "report.html"


def render(results: dict[str, Any], out: str | Path) -> Path:
    """Write results.json and report.html into the folder `out`; returns the report's path.

    The report is one file that needs nothing else. Each file is complete or absent: a run cut
    short leaves the former version. Raises EvaluationError when the folder cannot be written.
    """
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(results, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
        _write(folder / RESULTS_FILE, text)
        _write(folder / REPORT_FILE, html(results))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise EvaluationError(f"{folder}: {reason}; give a folder that can be written") from None
    return folder / REPORT_FILE


def html(results: dict[str, Any]) -> str:
    """The report as one HTML document."""
    return (
        templates()
        .get_template("report.html.j2")
        .render(
            results=results,
            notices=notices(results),
            views=[(view, VIEW_NAMES[view]) for view, _ in VIEWS],
            plots={name: Markup(svg) for name, svg in _plots(results).items()},
        )
    )


def templates() -> Environment:
    """The report templates, with figures written as people read them."""
    environment = Environment(
        loader=PackageLoader("evaluation"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in ("figure", "count", "quantity", "percent", "minutes"):
        environment.filters[name] = getattr(wording, name)
    environment.filters["band"] = lambda row: plots.band_name(row["from"], row["to"])
    return environment


def _plots(results: dict[str, Any]) -> dict[str, str]:
    """The plots by name; empty where these results have no data for one."""
    drawn = dict.fromkeys(("sizes", "tradeoff", "delays"), "")
    alerts = results["alerts"]
    if results["clustering"]:
        drawn["sizes"] = plots.size_bars(results["clustering"]["by_story_size"])
        if alerts["points"]:
            drawn["tradeoff"] = plots.tradeoff(alerts["points"])
        if any(level["delays"] for level in alerts["levels"].values()):
            drawn["delays"] = plots.delay_curves(alerts["levels"])
    return drawn


def _write(path: Path, text: str) -> None:
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_text(text, encoding="utf-8")
    os.replace(unfinished, path)
