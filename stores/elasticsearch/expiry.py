"""Retention in Elasticsearch: whole dated indices go, never one that an open rumor still needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stores.elasticsearch.client import Connection
from stores.elasticsearch.names import AGING, KINDS, Kind, alias, kind_of, span
from stores.retention import Ages, cuts

TERMS = 1_000  # rumor ids in one question
OPEN: dict[str, Any] = {"term": {"rumor.open": True}}


class Expiry:
    def __init__(self, connection: Connection, prefix: str) -> None:
        self._connection = connection
        self._prefix = prefix

    def expired(self, ages: Ages, now: int) -> list[str]:
        """Names of the indices to drop, of all kinds but claims and audit, which have no age."""
        limits = cuts(ages, now)
        # What was written just now must count: else an index could go with a rumor that reopened.
        names = ",".join(alias(self._prefix, kind) for kind in KINDS)
        self._connection.request("POST", f"/{names}/_refresh", ignore_unavailable="true")
        return [
            name
            for kind in AGING
            for name, (_, end) in self._indices(kind)
            if end <= getattr(limits, kind) and not self._needed(kind, name, end)
        ]

    def expire(self, ages: Ages, now: int, *, dry_run: bool = False) -> dict[str, int]:
        """Drop them, or only count; returns how many documents went, by kind."""
        gone: dict[str, int] = dict.fromkeys(AGING, 0)
        for name in self.expired(ages, now):
            kind = kind_of(self._prefix, name)
            assert kind is not None, name
            gone[kind] += self._connection.count(name, {"match_all": {}})
            if not dry_run:
                self._connection.request("DELETE", f"/{name}", allow=(404,))
        return gone

    def _indices(self, kind: Kind) -> Iterator[tuple[str, tuple[int, int]]]:
        _, answer = self._connection.request(
            "GET", f"/{alias(self._prefix, kind)}-*/_settings/index.uuid"
        )
        for name in sorted(answer):
            times = span(self._prefix, kind, name)
            if times is not None:
                yield name, times

    def _needed(self, kind: Kind, name: str, end: int) -> bool:
        if kind == "trends":
            return False
        if kind == "rumors":
            return self._connection.count(name, OPEN) > 0
        return any(
            self._connection.count(name, {"terms": {"rumor.id": ids}}) > 0
            for ids in self._open_rumors_since_before(end)
        )

    def _open_rumors_since_before(self, time: int) -> Iterator[list[str]]:
        """Ids of open rumors whose first post is older than `time`: few, an open rumor is young."""
        older = {"range": {"rumor.first_post_at": {"lt": time, "format": "epoch_millis"}}}
        body: dict[str, Any] = {
            "query": {"bool": {"filter": [OPEN, older]}},
            "sort": [{"rumor.id": "asc"}],
            "size": TERMS,
            "_source": False,
        }
        while True:
            _, answer = self._connection.request(
                "POST",
                f"/{alias(self._prefix, 'rumors')}/_search",
                body=body,
                ignore_unavailable="true",
                allow_partial_search_results="false",
                filter_path="hits.hits.sort",
            )
            hits = answer.get("hits", {}).get("hits", [])
            if hits:
                yield [hit["sort"][0] for hit in hits]
            if len(hits) < TERMS:
                return
            body["search_after"] = hits[-1]["sort"]
