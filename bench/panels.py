"""How long the query of each Kibana panel takes on a store that a replay filled.

    python -m bench.panels STORE [--elasticsearch URL] [--times N] [--whole] [--keep PREFIX] [--out FILE.json]

STORE is the folder that `tindon replay --out` wrote, or its tindon.sqlite. Its documents are written into
Elasticsearch, and each panel's request (deploy/kibana/queries.py) is sent N times cold, the server's own
caches cleared before each (the system's cache of files stays), and N times warm, as Kibana sends it: over the
span with which its dashboard opens, back from the newest post, or --whole over all that the store
holds. Exit 1 when a panel's cold median is above the target. Indices are removed at the end, but for those
of --keep, which a later run finds filled.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import statistics
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from deploy.kibana import OBJECTS
from deploy.kibana.queries import back, panels, rows
from stores.elasticsearch import ElasticsearchStore
from streams.documents import AlertDocument, Batch, PostDocument, RumorDocument, TrendDocument

TARGET_MS = 200.0
QUIETLY = {"ignore_unavailable": "true"}  # a replay leaves neither claims nor an audit
KINDS: dict[str, Any] = {
    "rumors": RumorDocument,
    "alerts": AlertDocument,
    "posts": PostDocument,
    "trends": TrendDocument,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.panels", description=__doc__)
    parser.add_argument("store", type=Path)
    parser.add_argument("--elasticsearch", default="http://127.0.0.1:9200")
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--keep", default="")
    parser.add_argument("--out", default="")
    arguments = parser.parse_args()
    file = arguments.store / "tindon.sqlite" if arguments.store.is_dir() else arguments.store
    prefix = arguments.keep or f"bench-{uuid.uuid4().hex[:8]}-"
    store = ElasticsearchStore(arguments.elasticsearch, prefix=prefix)
    store.ensure_templates()
    try:
        if not store.newest():
            for batch in batches(file):
                store.write(batch)
            store.refresh()
        counts = store.counts()
        measured = list(_measure(store, arguments.times, arguments.whole))
    finally:
        store.close() if arguments.keep else drop(store)
    print(", ".join(f"{count:,} {kind}" for kind, count in counts.items() if count), end="; ")
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores, {arguments.times} times each\n")
    print("| dashboard | panel | rows | cold, median ms | longest | warm, median ms | longest |")
    print("|---|---|---:|---:|---:|---:|---:|")
    for one in measured:
        print("| {dashboard} | {panel} | {rows} |".format(**one), end=" ")
        print("{cold:.0f} | {cold_max:.0f} | {warm:.0f} | {warm_max:.0f} |".format(**one))
    if arguments.out:
        Path(arguments.out).write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    return 0 if all(one["cold"] < TARGET_MS for one in measured) else 1


def drop(store: ElasticsearchStore) -> None:
    """Remove what a bench made."""
    _, found = store.connection.request("GET", f"/{store.prefix}*/_settings/index.uuid")
    for index in found:
        store.connection.request("DELETE", f"/{index}")
    for path in ("_index_template", "_component_template"):
        store.connection.request("DELETE", f"/{path}/{store.prefix}*", allow=(404,))
    store.close()


def batches(file: Path, size: int = 5_000) -> Iterator[Batch]:
    """All documents of an SQLite store, in portions."""
    with sqlite3.connect(file) as connection:
        for kind, form in KINDS.items():
            found = connection.execute(f"SELECT document FROM {kind}")
            while part := list(islice(found, size)):
                documents = [msgspec.msgpack.decode(row[0], type=form) for row in part]
                yield Batch(**{kind: documents})


def _measure(store: ElasticsearchStore, times: int, whole: bool) -> Iterator[dict[str, Any]]:
    saved = [json.loads(line) for line in OBJECTS.read_text(encoding="utf-8").splitlines()]
    spans = {one["id"]: one["attributes"].get("timeFrom", "") for one in saved}
    newest = datetime.fromtimestamp((store.newest() or 0) / 1000, UTC) + timedelta(minutes=5)
    [first] = store.connection.request(
        "POST",
        f"/{store.prefix}trends/_search",
        body={"size": 0, "aggs": {"first": {"min": {"field": "@timestamp"}}}},
        filter_path="aggregations.first.value",
    )[1:]
    oldest = datetime.fromtimestamp(first["aggregations"]["first"]["value"] / 1000, UTC)
    for asked in panels(saved):
        index = f"{store.prefix}{asked.index.removeprefix('tindon-')}"
        start = oldest if whole else newest - back(spans[asked.dashboard])
        body = asked.within(start, newest)
        answer: Any = {}
        spent: dict[str, list[float]] = {"cold": [], "warm": []}
        for state, times_spent in spent.items():
            for _ in range(times):
                if state == "cold":
                    store.connection.request("POST", f"/{index}/_cache/clear", **QUIETLY)
                started = time.perf_counter()
                _, answer = store.connection.request(
                    "POST", f"/{index}/_search", body=body, **QUIETLY
                )
                times_spent.append(1_000 * (time.perf_counter() - started))
        yield {
            "dashboard": asked.dashboard,
            "panel": asked.panel,
            "rows": len(rows(asked, answer)) if answer["_shards"]["total"] else 0,
            **{state: statistics.median(one) for state, one in spent.items()},
            **{f"{state}_max": max(one) for state, one in spent.items()},
        }


if __name__ == "__main__":
    sys.exit(main())
