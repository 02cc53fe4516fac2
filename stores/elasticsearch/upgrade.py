"""An index whose fields have changed is copied into a new one, and its name handed on.

    old index  <- writer, readers          1  copy all of a point in time
    new index                              2  block writes to the old one: writers wait, as in an outage
                                           3  copy what was written since 1, count both
    new index  <- writer, readers          4  one step: drop the old index, give its name to the new

The copy goes through our own reader and writer, so that what is derived from a document (folded text,
vectors) is made anew; it needs no module of the server. Documents carry their versions with them.
When anything fails before 4, the block is lifted and the old index stands as it stood.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from stores.base import StoreError
from stores.elasticsearch.bulk import Bulk, Patience
from stores.elasticsearch.client import Connection
from stores.elasticsearch.mappings import mapping
from stores.elasticsearch.names import Document, Kind, alias, copy_of, kind_of, written_as
from stores.elasticsearch.shapes import READERS

LOCK = "upgrade"  # an index of this name, behind the prefix, says that an upgrade is going on
PAGE = 1_000  # documents in one answer
KEEP = "5m"  # how long the server keeps the point in time between two pages
PATIENCE_S = 300.0  # for one page's writing
SAY_EVERY = 20_000  # documents

Query = dict[str, Any]
Say = Callable[[str], None]


class Upgrade:
    """Copies indices into ones with the mapping of this version."""

    def __init__(
        self, connection: Connection, prefix: str, settings: dict[str, str], say: Say
    ) -> None:
        self._connection = connection
        self._prefix = prefix
        self._settings = settings
        self._say = say

    def run(self, indices: list[str]) -> None:
        """Copy each. Raises StoreError when one cannot be; those before it are done."""
        with self._locked():
            self._drop_leftovers()
            for index in indices:
                self._copy_over(index)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One upgrade at a time: a second would lift the first one's block."""
        name = f"{self._prefix}{LOCK}"
        body = {"settings": {"index": {"number_of_shards": "1", "number_of_replicas": "0"}}}
        status, _ = self._connection.request("PUT", f"/{name}", body=body, allow=(400,))
        if status == 400:
            raise StoreError(
                f"{self._connection.url}: another `tindon apply` is copying indices; if none runs"
                f" (one was killed), delete the index {name} and run it again."
            )
        try:
            yield
        finally:
            self._connection.request("DELETE", f"/{name}", allow=(404,))

    def _drop_leftovers(self) -> None:
        """Copies that were cut short: nobody's name leads to them."""
        _, answer = self._connection.request("GET", f"/{self._prefix}copy*-*/_alias")
        for name, found in sorted(answer.items()):
            if kind_of(self._prefix, name) and not found["aliases"]:
                self._connection.request("DELETE", f"/{name}", allow=(404,))

    def _copy_over(self, old: str) -> None:
        kind = kind_of(self._prefix, old)
        assert kind is not None, old
        new = copy_of(self._prefix, old)
        body = {"settings": {"index": self._settings}, "mappings": mapping(kind)}
        self._connection.request("PUT", f"/{new}", body=body)
        before = self._written(old)
        self._copy(kind, old, new, {"match_all": {}})
        self._connection.request("PUT", f"/{old}/_block/write")
        try:
            self._copy(kind, old, new, {"range": {"_seq_no": {"gt": before}}})
            self._compare(old, new)
            self._switch(kind, old, new)
        except BaseException:
            self._connection.request(
                "PUT", f"/{old}/_settings", body={"index.blocks.write": None}, allow=(404,)
            )
            raise

    def _written(self, index: str) -> int:
        """The server's number of the last write that all shards have: later ones are larger."""
        _, answer = self._connection.request(
            "GET", f"/{index}/_stats", level="shards", filter_path="indices.*.shards"
        )
        shards = answer["indices"][index]["shards"].values()
        return min(int(one["seq_no"]["local_checkpoint"]) for copies in shards for one in copies)

    def _copy(self, kind: Kind, old: str, new: str, query: Query) -> None:
        bulk = Bulk(self._connection, self._prefix, into=new)
        count = 0
        self._refresh(old)
        for hits in self._pages(old, query):
            documents = [self._read(kind, old, hit) for hit in hits]
            delivery = bulk.deliver(documents, Patience(PATIENCE_S))
            if delivery.rejected:
                raise StoreError(
                    f"{self._connection.url}: {old} was not copied, the new mapping refuses"
                    f" {len(delivery.rejected)} documents ({delivery.rejected[0].reason}): the old"
                    " index stands as it was; keep the version that made it, and tell us."
                )
            count += len(hits)
            if count % SAY_EVERY < PAGE:
                self._say(f"reindex {old}: {count} documents")

    def _read(self, kind: Kind, old: str, hit: dict[str, Any]) -> Document:
        try:
            return READERS[kind](hit["_source"])
        except (KeyError, TypeError, ValueError) as error:
            raise StoreError(
                f"{self._connection.url}: document {hit['_id']} of {old} cannot be read ({error!r}):"
                " it was not written by Tindon; delete it and run `tindon apply` again."
            ) from error

    def _pages(self, index: str, query: Query) -> Iterator[list[dict[str, Any]]]:
        """All documents that a query finds, as they stand now."""
        _, opened = self._connection.request("POST", f"/{index}/_pit", keep_alive=KEEP)
        body: dict[str, Any] = {
            "pit": {"id": opened["id"], "keep_alive": KEEP},
            "query": query,
            "sort": [{"_shard_doc": "asc"}],
            "size": PAGE,
            "track_total_hits": False,
        }
        try:
            while True:
                _, answer = self._connection.request(
                    "POST", "/_search", body=body, allow_partial_search_results="false"
                )
                if not (hits := answer["hits"]["hits"]):
                    return
                yield hits
                body["pit"]["id"] = answer["pit_id"]
                body["search_after"] = hits[-1]["sort"]
        finally:
            close = {"id": body["pit"]["id"]}
            self._connection.request("DELETE", "/_pit", body=close, allow=(404,))

    def _compare(self, old: str, new: str) -> None:
        self._refresh(old)
        self._refresh(new)
        counts = [self._connection.count(name, {"match_all": {}}) for name in (old, new)]
        if counts[0] != counts[1]:
            raise StoreError(
                f"{self._connection.url}: {new} holds {counts[1]} documents, {old} holds"
                f" {counts[0]}: the old index stands as it was; run `tindon apply` again."
            )

    def _switch(self, kind: Kind, old: str, new: str) -> None:
        names = (alias(self._prefix, kind), written_as(self._prefix, old))
        actions: list[dict[str, Any]] = [{"remove_index": {"index": old}}]
        actions += [{"add": {"index": new, "alias": name}} for name in names]
        self._connection.request("POST", "/_aliases", body={"actions": actions})

    def _refresh(self, index: str) -> None:
        self._connection.request("POST", f"/{index}/_refresh")
