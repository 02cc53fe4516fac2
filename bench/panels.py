"""How long the query of each Kibana panel takes on a store that a replay filled.

    python -m bench.panels STORE [--elasticsearch URL] [--times N] [--whole] [--out FILE.json]

STORE is the folder that `tindon replay --out` wrote, or its tindon.sqlite. Its documents are written into
Elasticsearch, and each panel's request (deploy/kibana/queries.py) is sent N times without the server's
request cache: over the span with which its dashboard opens, back from the newest post, or --whole over all
that the store holds. Indices are removed at the end; exit 1 when a panel's median is above the target.
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
from deploy.kibana.queries import panels, rows
from stores.elasticsearch import ElasticsearchStore
from streams.documents import AlertDocument, Batch, PostDocument, RumorDocument, TrendDocument

TARGET_MS = 200.0
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
    parser.add_argument("--out", default="")
    arguments = parser.parse_args()
    file = arguments.store / "tindon.sqlite" if arguments.store.is_dir() else arguments.store
    store = ElasticsearchStore(arguments.elasticsearch, prefix=f"bench-{uuid.uuid4().hex[:8]}-")
    store.ensure_templates()
    try:
        for batch in batches(file):
            store.write(batch)
        store.refresh()
        counts = store.counts()
        measured = list(_measure(store, arguments.times, arguments.whole))
    finally:
        drop(store)
    print(", ".join(f"{count:,} {kind}" for kind, count in counts.items() if count), end="; ")
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores, {arguments.times} times each\n")
    print("| dashboard | panel | rows | median ms | longest ms |\n|---|---|---:|---:|---:|")
    for one in measured:
        print("| {dashboard} | {panel} | {rows} | {median_ms:.0f} | {max_ms:.0f} |".format(**one))
    if arguments.out:
        Path(arguments.out).write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    return 0 if all(one["median_ms"] < TARGET_MS for one in measured) else 1


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
    for asked in panels(saved):
        index = f"{store.prefix}{asked.index.removeprefix('tindon-')}"
        unit = {"d": "days", "h": "hours"}[spans[asked.dashboard][-1]]
        back = timedelta(**{unit: int(spans[asked.dashboard][4:-1])})  # now-24h
        start = "1900-01-01T00:00:00Z" if whole else (newest - back).isoformat()
        body = asked.within(start, newest.isoformat())
        spent = []
        for _ in range(times):
            started = time.perf_counter()
            _, answer = store.connection.request(
                "POST", f"/{index}/_search", body=body, request_cache="false",
            )  # fmt: skip
            spent.append(1_000 * (time.perf_counter() - started))
        yield {
            "dashboard": asked.dashboard,
            "panel": asked.panel,
            "rows": len(rows(asked, answer)),
            "median_ms": statistics.median(spent),
            "max_ms": max(spent),
        }


if __name__ == "__main__":
    sys.exit(main())
