"""The store of the road with servers: Elasticsearch, an index a month or day for each kind."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, TypeVar

from stores.base import Similar, StoreError, StoreUnavailable
from stores.elasticsearch import desk_shapes, shapes
from stores.elasticsearch.bulk import Bulk, Delivery, Patience
from stores.elasticsearch.client import Access, Connection
from stores.elasticsearch.expiry import Expiry
from stores.elasticsearch.names import KINDS, Document, Kind, alias, check_prefix, document_id
from stores.elasticsearch.templates import Step, Templates
from stores.folding import query_words
from stores.nearness import cosines
from stores.retention import Ages
from streams.documents import (
    AlertDocument,
    AuditDocument,
    Batch,
    ClaimDocument,
    Level,
    PostDocument,
    RumorDocument,
    Status,
    TrendDocument,
    post_key,
)

D = TypeVar("D")
Query = dict[str, Any]
Sort = list[dict[str, str]]

PAGE = 1_000  # documents in one answer
CANDIDATES = 100  # rumors that each shard hands over for the nearest
WINDOW = 10_000  # Elasticsearch's index.max_result_window: pages that reach further go on by value

_NOT_MERGED_RUMOR: Query = {"bool": {"must_not": {"exists": {"field": "rumor.merged_into"}}}}
_NOT_MERGED_ALERT: Query = {"bool": {"must_not": {"exists": {"field": "alert.merged_into"}}}}


class ElasticsearchStore:
    """A `stores.base.Store` in Elasticsearch. Thread-safe; writes show after `refresh` or 1 s."""

    def __init__(
        self,
        access: Access | str,
        *,
        prefix: str = "tindon-",
        shards: int = 1,
        replicas: int = 0,
        deadline_s: float = 60.0,
    ) -> None:
        """Opens no connection yet. `deadline_s`: how long a write is tried. Raises StoreError."""
        try:
            check_prefix(prefix)
        except ValueError as error:
            raise StoreError(f"store.prefix: {error}.") from error
        self.prefix = prefix
        self.deadline_s = deadline_s
        self.connection = Connection(Access(url=access) if isinstance(access, str) else access)
        self.templates = Templates(self.connection, prefix, shards=shards, replicas=replicas)
        self._bulk = Bulk(self.connection, prefix)
        self._expiry = Expiry(self.connection, prefix)
        self._checked = threading.Event()

    # --- set-up -------------------------------------------------------------------------------

    def check(self) -> str:
        """One line that tells server, version and health. Raises StoreError with the mend."""
        version = self.connection.version()
        _, health = self.connection.request("GET", "/_cluster/health")
        if health["status"] == "red":
            raise StoreUnavailable(
                f"{self.connection.url}: the cluster is red, {health['unassigned_shards']} shards"
                " have no home: start its missing nodes, or restore the lost indices."
            )
        return f"Elasticsearch {version} at {self.connection.url} is {health['status']}"

    def ready(self) -> bool:
        """Whether the templates are of this version, as a writer without rights over them sees it."""
        try:
            self.templates.check()
        except StoreUnavailable:
            raise
        except StoreError:
            return False
        return True

    def plan(self) -> list[Step]:
        """What `ensure_templates` would do."""
        return self.templates.plan()

    def ensure_templates(
        self, say: Callable[[str], None] = lambda _: None, *, copies: bool = True
    ) -> list[Step]:
        """Create or update templates and indices (`Templates.apply`); returns what was done."""
        self.connection.version()
        return self.templates.apply(say, copies=copies)

    def expired(self, ages: Ages, now: int) -> list[str]:
        """The indices past their age that hold nothing of an open rumor; `expire` drops these."""
        return self._expiry.expired(ages, now)

    def expire(self, ages: Ages, now: int, *, dry_run: bool = False) -> dict[str, int]:
        """Drop whole indices past their age; returns how many documents went, by kind."""
        return self._expiry.expire(ages, now, dry_run=dry_run)

    # --- writing ------------------------------------------------------------------------------

    def deliver(self, batch: Batch, deadline_s: float | None = None) -> Delivery:
        """Write whole documents; those that are refused for good are handed back.

        Raises StoreUnavailable after `deadline_s` (the batch may be written again), StoreError for
        what only people can mend.
        """
        patience = Patience(self.deadline_s if deadline_s is None else deadline_s)
        patience.call(self._check_once)
        documents: list[Document] = [
            *batch.rumors, *batch.alerts, *batch.posts, *batch.trends, *batch.claims, *batch.audits
        ]  # fmt: skip
        return self._bulk.deliver(documents, patience)

    def write(self, batch: Batch) -> int:
        """Write whole documents; returns how many were stored. Raises StoreError for a refusal."""
        delivery = self.deliver(batch)
        if delivery.rejected:
            first = delivery.rejected[0]
            raise StoreError(
                f"{self.connection.url} refused {len(delivery.rejected)} documents, the first with"
                f" {first.reason}: use `deliver` and keep them as dead letters."
            )
        return delivery.stored

    def refresh(self) -> None:
        """Make all that was written visible to the questions."""
        names = ",".join(alias(self.prefix, kind) for kind in KINDS)
        self.connection.request("POST", f"/{names}/_refresh", ignore_unavailable="true")

    # --- questions ----------------------------------------------------------------------------

    def alert(self, alert_id: str) -> AlertDocument | None:
        """The alert as stored, merged or not."""
        return self._one("alerts", alert_id, shapes.alert)

    def alerts(
        self,
        *,
        level: Level | None = None,
        status: Status | None = None,
        rumor_id: str | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[AlertDocument]:
        """Alerts, newest `raised_at` first, then by id; merged ones left out."""
        filters = [_NOT_MERGED_ALERT]
        wanted = {"rumor.level": level, "triage.status": status, "rumor.id": rumor_id}
        filters += [{"term": {name: value}} for name, value in wanted.items() if value is not None]
        sort: Sort = [{"@timestamp": "desc"}, {"event.id": "asc"}]
        return self._page("alerts", filters, sort, shapes.alert, limit, offset)

    def rumor(self, rumor_id: str) -> RumorDocument | None:
        """The rumor as stored; follow `merged_into` for its heir."""
        return self._one("rumors", rumor_id, shapes.rumor)

    def rumors(
        self, *, open_only: bool = False, limit: int = 100, offset: int = 0
    ) -> list[RumorDocument]:
        """Rumors by score, highest first, then by id; merged ones left out."""
        filters = [_NOT_MERGED_RUMOR]
        if open_only:
            filters.append({"term": {"rumor.open": True}})
        sort: Sort = [{"rumor.score": "desc"}, {"rumor.id": "asc"}]
        return self._page("rumors", filters, sort, shapes.rumor, limit, offset)

    def similar(self, rumor_id: str, *, limit: int = 10) -> list[Similar]:
        """Rumors nearest in meaning, open or closed: highest cosine first, then by id."""
        own = self.rumor(rumor_id)
        if own is None or not shapes.comparable(own.vector):
            return []
        near: Query = {
            "field": shapes.dense_field(own.vector),
            "query_vector": own.vector.hex(),
            "k": limit,
            "num_candidates": min(max(CANDIDATES, 2 * limit), WINDOW),
            "filter": [_NOT_MERGED_RUMOR, {"bool": {"must_not": {"term": {"rumor.id": rumor_id}}}}],
        }
        hits = self._search("rumors", {"knn": near, "size": limit})
        found = [shapes.rumor(hit["_source"]) for hit in hits]
        # The index ranks by its own rounding: the order is made by the exact cosines.
        exact = cosines(own.vector, [each.vector for each in found]).tolist()
        pairs = map(Similar, found, exact)
        return sorted(pairs, key=lambda one: (-one.cosine, one.rumor.rumor_id))

    def posts(self, rumor_id: str, *, limit: int = 100, offset: int = 0) -> list[PostDocument]:
        """Stored posts of a rumor, oldest first, then by key."""
        filters = [{"term": {"rumor.id": rumor_id}}]
        sort: Sort = [{"@timestamp": "asc"}, {"post.key": "asc"}]
        return self._page("posts", filters, sort, shapes.post, limit, offset)

    def trends(self, start: int, end: int) -> list[TrendDocument]:
        """Buckets with start <= bucket < end (ms), in time order, then by language, platform, category."""
        span = {"gte": start, "lt": end, "format": "epoch_millis"}
        keys = ("@timestamp", "trend.language", "trend.platform", "trend.category")
        sort: Sort = [{key: "asc"} for key in keys]
        filters = [{"range": {"@timestamp": span}}]
        return self._page("trends", filters, sort, shapes.trend, None, 0)

    def claim(self, claim_id: str) -> ClaimDocument | None:
        """A known claim."""
        return self._one("claims", claim_id, desk_shapes.claim)

    def claims(self, *, limit: int = 100, offset: int = 0) -> list[ClaimDocument]:
        """Known claims, newest `since` first, then by id."""
        sort: Sort = [{"@timestamp": "desc"}, {"claim.id": "asc"}]
        return self._page("claims", [], sort, desk_shapes.claim, limit, offset)

    def action(self, action_id: str) -> AuditDocument | None:
        """What became of an action."""
        return self._one("audit", action_id, desk_shapes.audit)

    def audit(
        self, *, alert_id: str | None = None, limit: int = 100, offset: int = 0
    ) -> list[AuditDocument]:
        """The audit, of all or of one alert, in the log's order, last first."""
        filters = [] if alert_id is None else [{"term": {"audit.alert_id": alert_id}}]
        sort: Sort = [{"event.sequence": "desc"}, {"event.id": "asc"}]
        return self._page("audit", filters, sort, desk_shapes.audit, limit, offset)

    def search(self, text: str, *, limit: int = 50) -> list[PostDocument]:
        """Posts that hold all words of `text`, newest first; diacritics and case do not matter."""
        filters = [{"term": {"text_folded": word}} for word in query_words(text)]
        if not filters:
            return []
        sort: Sort = [{"@timestamp": "desc"}, {"post.key": "asc"}]
        return self._page("posts", filters, sort, shapes.post, limit, 0)

    def newest(self) -> int | None:
        """Start of the newest trend bucket, ms; None when there is none."""
        found = self._page("trends", [], [{"@timestamp": "desc"}], shapes.trend, 1, 0)
        return found[0].bucket if found else None

    def searchable(self, post: PostDocument) -> bool:
        """Whether questions find the post now, in this version or a newer one."""
        key = post_key(post.source, post.post_id)
        found = self._one("posts", key, shapes.post)
        return found is not None and found.version >= post.version

    def counts(self) -> dict[str, int]:
        """Documents by kind: rumors, alerts, posts, trends (merged ones included)."""
        kinds: tuple[Kind, ...] = ("rumors", "alerts", "posts", "trends")
        every: Query = {"match_all": {}}
        return {kind: self.connection.count(alias(self.prefix, kind), every) for kind in kinds}

    def close(self) -> None:
        self.connection.close()

    # --- inside -------------------------------------------------------------------------------

    def _check_once(self) -> None:
        """Before the first write: without templates, Elasticsearch would guess the mappings."""
        if not self._checked.is_set():
            self.connection.version()
            self.templates.check()
            self._checked.set()

    def _one(self, kind: Kind, key: str, read: Callable[[dict[str, Any]], D]) -> D | None:
        found = self._page(kind, [{"ids": {"values": [document_id(key)]}}], [], read, 1, 0)
        return found[0] if found else None

    def _page(
        self,
        kind: Kind,
        filters: list[Query],
        sort: Sort,
        read: Callable[[dict[str, Any]], D],
        limit: int | None,
        offset: int,
    ) -> list[D]:
        if limit is not None and offset + limit <= WINDOW:
            hits = self._hits(kind, filters, sort, size=limit, start=offset)
            return [read(hit["_source"]) for hit in hits]
        end = None if limit is None else offset + limit
        hits = list(islice(self._all(kind, filters, sort), offset, end))
        return [read(hit["_source"]) for hit in hits]

    def _all(self, kind: Kind, filters: list[Query], sort: Sort) -> Iterator[dict[str, Any]]:
        after: list[Any] | None = None
        while True:
            hits = self._hits(kind, filters, sort, size=PAGE, after=after)
            yield from hits
            if len(hits) < PAGE:
                return
            after = hits[-1]["sort"]

    def _hits(
        self,
        kind: Kind,
        filters: list[Query],
        sort: Sort,
        *,
        size: int,
        start: int = 0,
        after: list[Any] | None = None,
    ) -> list[dict[str, Any]]:
        body: dict[str, Any] = {
            "query": {"bool": {"filter": filters}},
            "sort": sort,
            "size": size,
            "track_total_hits": False,
        }
        if after is None:
            body["from"] = start
        else:
            body["search_after"] = after
        return self._search(kind, body)

    def _search(self, kind: Kind, body: dict[str, Any]) -> list[dict[str, Any]]:
        _, answer = self.connection.request(
            "POST",
            f"/{alias(self.prefix, kind)}/_search",
            body=body,
            ignore_unavailable="true",
            allow_partial_search_results="false",
            filter_path="hits.hits._source,hits.hits.sort",
        )
        found: list[dict[str, Any]] = answer.get("hits", {}).get("hits", [])
        return found
