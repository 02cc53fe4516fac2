"""What each panel asks of Elasticsearch, as Kibana makes it out of the saved objects.

For what cannot have a Kibana: tests run these against a real Elasticsearch, benches time them, and the
pictures in the docs are drawn from their answers. Only what our own panels use is understood; anything
else raises ValueError, so that a panel is never checked by halves.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

Saved = dict[str, Any]
Query = dict[str, Any]

BARS = 100  # Kibana's histogram:maxBars: what `auto` gives at most
# Widths that `auto` chooses from, the finest that gives no more bars.
WIDTHS = (
    *(("fixed_interval", f"{n}m", timedelta(minutes=n)) for n in (1, 5, 10, 30)),
    *(("fixed_interval", f"{n}h", timedelta(hours=n)) for n in (1, 3, 12)),
    *(("fixed_interval", f"{n}d", timedelta(days=n)) for n in (1, 7, 30)),
    ("calendar_interval", "1y", timedelta(days=365)),
)
AUTO = "auto"
MISSING = "__missing__"  # Kibana's key for documents without the field
_TERM = re.compile(r'(not )?"?([@\w.]+)"?: ("[^"]+"|[\w.-]+|\*)')
_PLAIN = {"sum": "sum", "min": "min", "max": "max", "average": "avg", "unique_count": "cardinality"}


@dataclass(frozen=True)
class Asked:
    """One panel's request."""

    dashboard: str
    panel: str  # id
    title: str
    index: str
    body: Query  # without the span of time
    columns: dict[str, Saved]  # of a Lens panel, in order; empty for a search panel
    fields: frozenset[str]
    back: timedelta | None = None  # the panel's own span, whatever the dashboard's
    timeless: bool = False  # its data view has no time: it shows all

    def within(self, start: datetime, end: datetime) -> Query:
        """The request for a span of time."""
        if self.timeless:
            return self.body
        if self.back is not None:
            start = end - self.back
        span = {"range": {"@timestamp": {"gte": start.isoformat(), "lte": end.isoformat()}}}
        filters = [*self.body["query"]["bool"]["filter"], span]
        body = {**self.body, "query": {"bool": {"filter": filters}}}
        if "aggs" in body:
            body["aggs"] = _chosen(body["aggs"], end - start)
        return body


def _chosen(aggregations: Query, span: timedelta) -> Query:
    """The aggregations with a width in place of `auto`."""
    kind, width, _ = next((one for one in WIDTHS if span / one[2] <= BARS), WIDTHS[-1])
    chosen = {}
    for name, one in aggregations.items():
        one = dict(one)
        if one.get("date_histogram", {}).get("fixed_interval") == AUTO:
            histogram = {**one["date_histogram"], kind: width}
            if kind != "fixed_interval":
                del histogram["fixed_interval"]
            one["date_histogram"] = histogram
        if "aggs" in one:
            one["aggs"] = _chosen(one["aggs"], span)
        chosen[name] = one
    return chosen


def back(span: str) -> timedelta:
    """How far a span reaches: `now-24h` and the like."""
    unit = {"d": "days", "h": "hours"}[span[-1]]
    return timedelta(**{unit: int(span[4:-1])})


def panels(objects: list[Saved]) -> Iterator[Asked]:
    """The request of each panel of each dashboard, in their order."""
    searches = {one["id"]: one for one in objects if one["type"] == "search"}
    views = {one["id"]: one["attributes"] for one in objects if one["type"] == "index-pattern"}
    for board in objects:
        if board["type"] != "dashboard":
            continue
        attributes = board["attributes"]
        source = json.loads(attributes["kibanaSavedObjectMeta"]["searchSourceJSON"])
        over = source.get("query", {}).get("query", "")
        for panel in json.loads(attributes["panelsJSON"]):
            if panel["type"] == "search":
                name = panel["embeddableConfig"]["savedObjectId"]
                asked = _search(board["id"], panel, searches[name], over)
            elif panel["type"] == "lens":
                asked = _lens(board["id"], panel, over)
            else:
                raise ValueError(f"no panel of type {panel['type']} is understood")
            yield replace(asked, timeless="timeFieldName" not in views[asked.index])


def kql(text: str) -> list[Query]:
    """The part of KQL that our panels use: terms and their presence, joined by `and`."""
    filters: list[Query] = []
    for part in filter(None, text.split(" and ")):
        found = _TERM.fullmatch(part.strip())
        if found is None:
            raise ValueError(f"{part!r} is more KQL than is understood here")
        negated, field, value = found.groups()
        query: Query = (
            {"exists": {"field": field}} if value == "*" else {"match": {field: value.strip('"')}}
        )
        filters.append({"bool": {"must_not": query}} if negated else query)
    return filters


def fields_of(text: str) -> set[str]:
    """The fields that a KQL query names."""
    return {found[1] for found in _TERM.findall(text)}


def _search(board: str, panel: Saved, search: Saved, over: str) -> Asked:
    attributes = search["attributes"]
    source = json.loads(attributes["kibanaSavedObjectMeta"]["searchSourceJSON"])
    own = source["query"]["query"]
    body = {
        "query": {"bool": {"filter": [*kql(over), *kql(own)]}},
        "sort": [{field: order} for field, order in attributes["sort"]],
        "size": attributes["sampleSize"],
        "track_total_hits": True,
    }
    named = {field for field, _ in attributes["sort"]} | set(attributes["columns"])
    return Asked(
        dashboard=board,
        panel=panel["panelIndex"],
        title=panel["embeddableConfig"].get("title", attributes["title"]),
        index=search["references"][0]["id"],
        body=body,
        columns={},
        fields=frozenset(named | fields_of(over) | fields_of(own)),
        back=_own_span(panel),
    )


def _own_span(panel: Saved) -> timedelta | None:
    own = panel["embeddableConfig"].get("timeRange")
    return back(own["from"]) if own else None


def _lens(board: str, panel: Saved, over: str) -> Asked:
    attributes = panel["embeddableConfig"]["attributes"]
    state = attributes["state"]
    [layer] = state["datasourceStates"]["formBased"]["layers"].values()
    columns = {name: layer["columns"][name] for name in layer["columnOrder"]}
    own = state["query"]["query"]
    named = {one["sourceField"] for one in columns.values()} - {"___records___"}
    named |= {
        one["params"]["sortField"] for one in columns.values() if "sortField" in one["params"]
    }
    body = {
        "query": {"bool": {"filter": [*kql(over), *kql(own)]}},
        "size": 0,
        "track_total_hits": True,
        "aggs": _aggregations(columns),
    }
    return Asked(
        dashboard=board,
        panel=panel["panelIndex"],
        title=attributes["title"],
        index=attributes["references"][0]["id"],
        body=body,
        columns=columns,
        fields=frozenset(named | fields_of(over) | fields_of(own)),
        back=_own_span(panel),
    )


def _aggregations(columns: dict[str, Saved]) -> Query:
    """Buckets inside each other in the order of the columns, the measures innermost."""
    measures = {
        name: _measure(one)
        for name, one in columns.items()
        if not one["isBucketed"] and one["operationType"] != "count"
    }
    inner = measures
    for name, column in reversed(columns.items()):
        if column["isBucketed"]:
            # A bucket may be ordered by a measure, which then has to stand beside it.
            inner = {name: {**_bucket(column, columns), "aggs": {**measures, **inner}}}
    return inner


def _bucket(column: Saved, columns: dict[str, Saved]) -> Query:
    field, given = column["sourceField"], column["params"]
    if column["operationType"] == "terms":
        order = given["orderBy"]
        by = order.get("columnId", "_key")
        if order["type"] == "column" and columns[by]["operationType"] == "count":
            by = "_count"
        terms: Query = {
            "field": field,
            "size": given["size"],
            "order": {by: given["orderDirection"]},
        }
        if given["missingBucket"]:
            terms["missing"] = MISSING
        return {"terms": terms}
    if column["operationType"] == "date_histogram":
        interval = given["interval"]
        unit = "fixed_interval" if interval == AUTO else "calendar_interval"
        return {"date_histogram": {"field": field, unit: interval, "min_doc_count": 1}}
    raise ValueError(f"no bucket {column['operationType']} is understood")


def _measure(column: Saved) -> Query:
    kind, field = column["operationType"], column["sourceField"]
    if kind in _PLAIN:
        return {_PLAIN[kind]: {"field": field}}
    if kind in {"median", "percentile"}:
        percent = 50 if kind == "median" else column["params"]["percentile"]
        return {"percentiles": {"field": field, "percents": [percent]}}
    if kind == "last_value":
        newest = [{column["params"]["sortField"]: "desc"}]
        show = {"size": 1, "sort": newest, "_source": False, "docvalue_fields": [field]}
        return {"top_hits": show}
    raise ValueError(f"no measure {kind} is understood")


def rows(asked: Asked, answer: Saved) -> list[dict[str, Any]]:
    """The answer as a table: one row a document or innermost bucket, by column."""
    if not asked.columns:
        return [hit["_source"] for hit in answer["hits"]["hits"]]
    return list(
        _rows(asked.columns, answer.get("aggregations", {}), answer["hits"]["total"]["value"])
    )


def _rows(columns: dict[str, Saved], held: Saved, count: int) -> Iterator[dict[str, Any]]:
    bucket = next((name for name, one in columns.items() if one["isBucketed"]), None)
    if bucket is None:
        values = {
            name: count if one["operationType"] == "count" else _value(one, held[name])
            for name, one in columns.items()
        }
        if any(value is not None for value in values.values()) and count:
            yield values
        return
    rest = {name: one for name, one in columns.items() if name != bucket}
    for one in held[bucket]["buckets"]:
        key = one.get("key_as_string", one["key"])
        for row in _rows(rest, one, one["doc_count"]):
            yield {bucket: key, **row}


def _value(column: Saved, held: Saved) -> Any:
    if "hits" in held:
        hits = held["hits"]["hits"]
        return hits[0]["fields"][column["sourceField"]][0] if hits and "fields" in hits[0] else None
    if "values" in held:
        return next(iter(held["values"].values()))
    return held.get("value_as_string", held["value"])
