"""`make kibana`: compiles objects.yaml and dashboards/*.yaml to tindon.ndjson; the same bytes each time.

Dashboards are compiled by kb-dashboard (requirements.lock beside this file, Python 3.12 or newer, an
environment of its own); Tindon itself only reads what is written.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import yaml

from deploy.kibana import CONSOLE, FOLDER, OBJECTS

Saved = dict[str, Any]

CORE = "8.8.0"  # coreMigrationVersion of Kibana 8.8 and later
# Version of each type's form: old enough for every Kibana from 8.19 on, which migrates it at import
# and refuses versions newer than its own.
VERSIONS = {"index-pattern": "8.0.0", "search": "8.0.0", "tag": "8.0.0", "dashboard": "10.2.0"}
SHOWN = 100  # documents that a search loads; Kibana's own 500 makes the queue slow over months
# Panels that ask over a span of their own, whatever the dashboard's: the compiler has no word for it.
SPANS = {("tindon-pipeline", "sources"): {"from": "now-24h", "to": "now"}}
FIXED = "2026-01-01T00:00:00.000Z"
MADE_UP = ("created_by", "updated_by", "version")  # by the compiler; an import gives its own


def text(compiled: list[Saved]) -> str:
    """All objects, what is referred to before what refers to it, one a line."""
    every = [*plain_objects(), *map(_dashboard, sorted(compiled, key=lambda one: str(one["id"])))]
    return "".join(
        json.dumps(one, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n"
        for one in every
    )


def plain_objects() -> Iterator[Saved]:
    """Tag, data views and saved searches, out of objects.yaml."""
    wanted = yaml.safe_load((FOLDER / "objects.yaml").read_text(encoding="utf-8"))
    tag = dict(wanted["tag"])
    yield _saved("tag", tag.pop("id"), tag, [])
    for view in wanted["data_views"]:
        yield _data_view(view, wanted["links"].get(view["id"], {}))
    for search in wanted["searches"]:
        yield _search(search)


def _data_view(view: Saved, links: dict[str, str]) -> Saved:
    formats = {
        field: {
            "id": "url",
            "params": {"urlTemplate": f"{CONSOLE}{path}", "labelTemplate": "{{value}}"},
        }
        for field, path in links.items()
    }
    attributes = {
        "title": view["title"],
        "name": view["name"],
        **({} if view.get("timeless") else {"timeFieldName": "@timestamp"}),
        "allowNoIndex": True,  # an empty store gives empty panels instead of errors
        "fields": "[]",
        "fieldAttrs": "{}",
        "fieldFormatMap": _json(formats),
        "runtimeFieldMap": "{}",
        "sourceFilters": "[]",
    }
    return _saved("index-pattern", view["id"], attributes, [])


def _search(search: Saved) -> Saved:
    name = "kibanaSavedObjectMeta.searchSourceJSON.index"
    source = {
        "query": {"query": search["query"], "language": "kuery"},
        "filter": [],
        "highlightAll": True,
        "version": True,
        "indexRefName": name,
    }
    attributes = {
        "title": search["title"],
        "description": search["description"],
        "columns": search["columns"],
        "sort": search["sort"],
        "grid": {},
        "sampleSize": SHOWN,
        "hideChart": True,
        "isTextBasedQuery": False,
        "timeRestore": False,
        "kibanaSavedObjectMeta": {"searchSourceJSON": _json(source)},
    }
    view = {"type": "index-pattern", "id": search["data_view"], "name": name}
    return _saved("search", search["id"], attributes, [view])


def _saved(kind: str, name: str, attributes: Saved, references: list[Saved]) -> Saved:
    if kind == "search":
        references = [*references, {"type": "tag", "id": "tindon", "name": "tag-ref-tindon"}]
    return {
        "id": name,
        "type": kind,
        "attributes": attributes,
        "references": references,
        "coreMigrationVersion": CORE,
        "typeMigrationVersion": VERSIONS[kind],
        "managed": False,
        "created_at": FIXED,
        "updated_at": FIXED,
    }


def _dashboard(compiled: Saved) -> Saved:
    """A compiled dashboard with the tag, and with what the compiler cannot know set right."""
    saved = {name: value for name, value in compiled.items() if name not in MADE_UP}
    attributes = dict(saved["attributes"])
    panels = json.loads(attributes["panelsJSON"])
    for panel in panels:
        if "panelRefName" in panel:  # the name inside the panel; the dashboard's has its prefix
            panel["panelRefName"] = panel["panelRefName"].rpartition(":")[2]
        if span := SPANS.get((compiled["id"], panel["panelIndex"])):
            panel["embeddableConfig"]["timeRange"] = span
        for column in columns(panel).values():
            _type(column)
    attributes["panelsJSON"] = _json(panels)
    tagged = {"type": "tag", "id": "tindon", "name": "tag-ref-tindon"}
    saved.update(attributes=attributes, references=[*saved["references"], tagged])
    return {**saved, "created_at": FIXED, "updated_at": FIXED}


def columns(panel: Saved) -> dict[str, Saved]:
    """The columns of a Lens panel by id; none for another panel."""
    state = panel["embeddableConfig"].get("attributes", {}).get("state", {})
    layers = state.get("datasourceStates", {}).get("formBased", {}).get("layers", {})
    return {name: column for layer in layers.values() for name, column in layer["columns"].items()}


def _type(column: Saved) -> None:
    """The compiler takes every measure for a number: dates and words would be shown as such."""
    field = column.get("sourceField", "")
    if column["operationType"] in {"min", "max"} and (field == "@timestamp" or field[-3:] == "_at"):
        column["dataType"] = "date"
    elif column["operationType"] == "last_value" and field.endswith(".keyword"):
        column.update(dataType="string", scale="ordinal")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def compiled() -> list[Saved]:
    """The dashboards as kb-dashboard compiles them."""
    from kb_dashboard_core import load, render  # type: ignore[import-not-found, unused-ignore]

    return [
        json.loads(render(board).model_dump_json(by_alias=True, exclude_none=True))
        for file in sorted((FOLDER / "dashboards").glob("*.yaml"))
        for board in load(str(file))
    ]


def main() -> int:
    written = text(compiled())
    if "--check" in sys.argv[1:]:
        if OBJECTS.read_text(encoding="utf-8") != written:
            print("deploy/kibana/tindon.ndjson is not what the YAML gives: run `make kibana`")
            return 1
        return 0
    OBJECTS.write_text(written, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
