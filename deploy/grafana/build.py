"""`python -m deploy.grafana.build`: writes the dashboard from panels.py; the same bytes each time.

Needs the Grafana foundation SDK (extra `dev`); Grafana itself reads the written file only.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from grafana_foundation_sdk.builders import common as make_common
from grafana_foundation_sdk.builders import dashboard as make
from grafana_foundation_sdk.builders import prometheus, stat, table, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common, dashboard
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from deploy.grafana.panels import ROWS, Panel, Query, Shape

FILE = Path(__file__).with_name("dashboards") / "tindon-pipeline.json"
SOURCE = dashboard.DataSourceRef(type_val="prometheus", uid="${datasource}")
GREEN, ORANGE, RED = "green", "orange", "red"

Builder = stat.Panel | table.Panel | timeseries.Panel


def text() -> str:
    """The dashboard as Grafana imports it."""
    board = (
        make.Dashboard("Tindon: pipeline")
        .uid("tindon-pipeline")
        .description("The worker's stages from the topic posts to the store, for the engineer.")
        .tags(["tindon"])
        .readonly()
        .timezone("browser")
        .time("now-1h", "now")
        .refresh("30s")
        .tooltip(dashboard.DashboardCursorSync.CROSSHAIR)
        .with_variable(make.DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
    )
    number = 0
    for title, panels in ROWS:
        number += 1
        board.with_row(make.Row(title).id(number))
        for panel in panels:
            number += 1
            board.with_panel(_panel(panel).id(number))
    return json.dumps(board.build(), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


def _panel(panel: Panel) -> Builder:
    built: Builder
    match panel.shape:
        case Shape.NUMBER:
            last = make_common.ReduceDataOptions().calcs(["lastNotNull"])
            built = stat.Panel().reduce_options(last).graph_mode(common.BigValueGraphMode.AREA)
        case Shape.TABLE:
            built = table.Panel()
        case Shape.LINES:
            built = _lines(panel)
    built.title(panel.title).description(panel.says).unit(panel.unit).datasource(SOURCE)
    built.span(panel.width).height(panel.height).min(0)
    if panel.warn is not None:
        built.thresholds(_thresholds(panel.warn, panel.alarm))
    if panel.nothing is not None:
        built.no_value(panel.nothing)
    for letter, query in zip("ABCDEF", panel.queries, strict=False):
        built.with_target(_target(query, letter, panel.shape))
    return built


def _lines(panel: Panel) -> timeseries.Panel:
    legend = make_common.VizLegendOptions().show_legend(True)
    legend.display_mode(common.LegendDisplayMode.LIST).placement(common.LegendPlacement.BOTTOM)
    lines = timeseries.Panel().legend(legend).fill_opacity(10)
    lines.show_points(common.VisibilityMode.NEVER)
    if panel.warn is not None:
        drawn = make_common.GraphThresholdsStyleConfig().mode(
            common.GraphThresholdsStyleMode.DASHED
        )
        lines.thresholds_style(drawn)
    return lines


def _thresholds(warn: float, alarm: float | None) -> make.ThresholdsConfig:
    steps = [dashboard.Threshold(None, GREEN), dashboard.Threshold(warn, ORANGE)]
    if alarm is not None:
        steps.append(dashboard.Threshold(alarm, RED))
    return make.ThresholdsConfig().mode(dashboard.ThresholdsMode.ABSOLUTE).steps(steps)


def _target(query: Query, letter: str, shape: Shape) -> prometheus.Dataquery:
    target = prometheus.Dataquery().expr(query.expr).legend_format(query.legend).ref_id(letter)
    target.datasource(SOURCE)
    if shape is Shape.TABLE:
        return target.instant().format(PromQueryFormat.TABLE)
    return target.range()


def main() -> int:
    FILE.write_text(text(), encoding="utf-8")
    print(f"wrote {FILE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
