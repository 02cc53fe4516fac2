"""Draws what the Kibana dashboards show, out of the same queries: no Kibana, a rendering of its data.

    python -m bench.pictures [--elasticsearch URL] [--out docs]

Writes kibana-DASHBOARD.png for each dashboard, of the invented day with a desk that works
(bench/desk_day.py).
"""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
import uuid
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.font_manager import findfont, get_font

from bench.desk_day import documents
from bench.panels import drop
from deploy.kibana import OBJECTS
from deploy.kibana.queries import MISSING, Asked, panels, rows
from stores.elasticsearch import ElasticsearchStore

CELL = 0.3  # inches for one cell of Kibana's grid of 48 columns
DRAWN = get_font(findfont("DejaVu Sans")).get_charmap()  # characters that the font has
# Columns of saved searches for which a picture has room.
SHOWN = {
    *("message", "rumor.reasons", "rumor.category", "triage.status", "post.language"),
    *("triage.match.verdict", "claim.returned", "claim.verdict"),
}
BACK = {"tindon-trends": timedelta(days=30)}  # weeks with the day before; elsewhere two days


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.pictures", description=__doc__)
    parser.add_argument("--elasticsearch", default="http://127.0.0.1:9200")
    parser.add_argument("--out", type=Path, default=Path("docs"))
    arguments = parser.parse_args()
    store = ElasticsearchStore(arguments.elasticsearch, prefix=f"bench-{uuid.uuid4().hex[:8]}-")
    store.ensure_templates()
    try:
        store.write(documents())
        store.refresh()
        saved = [json.loads(line) for line in OBJECTS.read_text(encoding="utf-8").splitlines()]
        asked = list(panels(saved))
        for board in (one for one in saved if one["type"] == "dashboard"):
            _draw(
                store, board, [one for one in asked if one.dashboard == board["id"]], arguments.out
            )
    finally:
        drop(store)
    return 0


def _draw(store: ElasticsearchStore, board: Any, asked: list[Asked], out: Path) -> None:
    places = {p["panelIndex"]: p["gridData"] for p in json.loads(board["attributes"]["panelsJSON"])}
    height = max(at["y"] + at["h"] for at in places.values())
    figure = plt.figure(figsize=(48 * CELL, height * CELL + 1), dpi=70)
    figure.suptitle(f"{board['attributes']['title']}   (rendering, not Kibana)", fontsize=15)
    for one in asked:
        at = places[one.panel]
        share = height * CELL / (height * CELL + 1)
        box = [
            (at["x"] + 1.8) / 48,
            share * (1 - (at["y"] + at["h"] - 2.2) / height),
            (at["w"] - 3) / 48,
            share * (at["h"] - 4) / height,
        ]
        axes = figure.add_axes((box[0], box[1], box[2], box[3]))
        axes.set_title(one.title, fontsize=10, loc="left")
        index = f"{store.prefix}{one.index.removeprefix('tindon-')}"
        end = datetime.fromtimestamp((store.newest() or 0) / 1000, UTC) + timedelta(minutes=5)
        body = one.within(end - BACK.get(board["id"], timedelta(days=2)), end)
        _, answer = store.connection.request("POST", f"/{index}/_search", body=body)
        _panel(axes, one, rows(one, answer)[: _most(one, at["h"])])
    name = f"kibana-{board['id'].removeprefix('tindon-')}.png"
    figure.savefig(out / name, metadata={"Software": None})
    plt.close(figure)


def _most(asked: Asked, height: int) -> int:
    """Rows that have room: tables are cut, charts are not."""
    kinds = [one["operationType"] for one in asked.columns.values() if one["isBucketed"]]
    measures = len(asked.columns) - len(kinds)
    table = not asked.columns or (kinds[:1] == ["terms"] and measures > 1)
    return height - 5 if table else 1_000_000


def _panel(axes: Any, asked: Asked, found: list[dict[str, Any]]) -> None:
    """A number, a table, or a stack of bars over time or names."""
    buckets = [name for name, one in asked.columns.items() if one["isBucketed"]]
    measures = [name for name in asked.columns if name not in buckets]
    first = asked.columns[buckets[0]] if buckets else None
    if not asked.columns:
        fields = sorted(asked.fields & SHOWN)
        return _table(axes, fields, [[_field(hit, name) for name in fields] for hit in found])
    if first is None:
        axes.axis("off")
        value = _short(found[0][measures[0]]) if found else "-"
        return axes.text(0.5, 0.4, value, ha="center", va="center", fontsize=22)
    if first["operationType"] != "date_histogram" and len(measures) > 1:
        names = [asked.columns[name]["label"] for name in asked.columns]
        return _table(axes, names, [[row[name] for name in asked.columns] for row in found])
    series: dict[str, dict[Any, float]] = defaultdict(dict)
    for row in found:
        for name in measures:
            label = _short(row[buckets[1]]) if len(buckets) > 1 else asked.columns[name]["label"]
            series[label][row[buckets[0]]] = row[name] or 0
    keys = sorted({key for one in series.values() for key in one}, key=str)
    below = [0.0] * len(keys)
    side = len(measures) if len(buckets) == 1 else 1
    for number, (label, values) in enumerate(series.items()):
        heights = [float(values.get(key, 0)) for key in keys]
        at = [place + number / side * 0.8 if side > 1 else place for place in range(len(keys))]
        bottom = None if side > 1 else below
        axes.bar(at, heights, width=0.8 / side, bottom=bottom, label=label or "-")
        below = [a + b for a, b in zip(below, heights, strict=True)]
    step = max(1, len(keys) // 6)
    marks = [str(key)[5:16].replace("T", " ") if "T" in str(key) else _short(key) for key in keys]
    axes.set_xticks(range(0, len(keys), step), marks[::step], fontsize=7)
    axes.tick_params(axis="y", labelsize=7)
    axes.legend(fontsize=7, loc="upper right")
    return None


def _table(axes: Any, names: list[str], lines: list[list[Any]]) -> None:
    axes.axis("off")
    cells = [[_short(value) for value in line] for line in lines] or [["-"] * len(names)]
    longest = [max(len(c) for c in (*column, "x" * 8)) for column in zip(*cells, strict=True)]
    widths = [length / sum(longest) for length in longest]
    table = axes.table(cells, colLabels=names, colWidths=widths, loc="upper left", cellLoc="left")
    table.auto_set_font_size(False)
    table.set_fontsize(7)


def _field(hit: dict[str, Any], path: str) -> Any:
    value: Any = hit
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _short(value: Any) -> str:
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    value = "(none)" if value == MISSING else value
    text = f"{value:g}" if isinstance(value, float) else "-" if value is None else str(value)
    text = "".join(letter for letter in text if ord(letter) in DRAWN)
    return textwrap.shorten(text.replace("\n", " ").replace("$", "\\$"), 64, placeholder=" ...")


if __name__ == "__main__":
    sys.exit(main())
