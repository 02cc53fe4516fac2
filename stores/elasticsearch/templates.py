"""Index templates: what the indices of each kind look like, planned and applied.

An index is made by the first document that falls into its month or day, from the template of its
kind, and joins the alias that questions use.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from stores.base import StoreError
from stores.elasticsearch.client import Connection
from stores.elasticsearch.mappings import MAPPING_VERSION, mapping
from stores.elasticsearch.names import KINDS, Kind, alias, span

PRIORITY = 400  # above the templates that Elasticsearch brings (100 to 200)


class Step(NamedTuple):
    """One change to the server. `str()` of it is the line of a plan."""

    action: str  # "create", "update"
    what: str  # "index template", "mapping of index"
    name: str
    body: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.action} {self.what} {self.name}"


class Templates:
    """The templates on the server, held against those of this version."""

    def __init__(
        self, connection: Connection, prefix: str, *, shards: int = 1, replicas: int = 0
    ) -> None:
        self._connection = connection
        self._prefix = prefix
        self._shards = shards
        self._replicas = replicas

    def body(self, kind: Kind) -> dict[str, Any]:
        """The index template of a kind."""
        settings = {
            "number_of_shards": str(self._shards),
            "number_of_replicas": str(self._replicas),
            "refresh_interval": "1s",  # set: else an index that nobody asks goes to sleep
        }
        return {
            "index_patterns": [f"{alias(self._prefix, kind)}-*"],
            "priority": PRIORITY,
            "_meta": {"tindon_mapping": MAPPING_VERSION},
            "template": {
                "settings": {"index": settings},
                "mappings": mapping(kind),
                "aliases": {alias(self._prefix, kind): {}},
            },
        }

    def plan(self) -> list[Step]:
        """What `apply` would do; empty when all is as it should be.

        Raises StoreError when the server holds mappings of a newer Tindon.
        """
        steps = []
        for kind in KINDS:
            name, body = alias(self._prefix, kind), self.body(kind)
            standing = self._template(name)
            self._refuse_newer(name, standing.get("_meta", {}))
            if not _covers(standing, body):
                action = "update" if standing else "create"
                steps.append(Step(action, "index template", name, body))
            for index, meta in self._mappings(kind).items():
                self._refuse_newer(index, meta)
                if meta.get("tindon_mapping", 0) < MAPPING_VERSION:
                    steps.append(Step("update", "mapping of index", index, mapping(kind)))
        return steps

    def apply(self) -> list[Step]:
        """Make the server as planned; returns what was done. A second call does nothing."""
        steps = self.plan()
        for step in steps:
            if step.what == "index template":
                self._connection.request("PUT", f"/_index_template/{step.name}", body=step.body)
            else:
                self._put_mapping(step)
        return steps

    def check(self) -> None:
        """Raises StoreError when templates are missing or older: mappings would be guessed."""
        for kind in KINDS:
            name = alias(self._prefix, kind)
            meta = self._template(name).get("_meta", {})
            self._refuse_newer(name, meta)
            if meta.get("tindon_mapping", 0) < MAPPING_VERSION:
                state = "older" if meta else "missing"
                raise StoreError(
                    f"{self._connection.url}: the index template {name} is {state}:"
                    " run `tindon apply`."
                )

    def _put_mapping(self, step: Step) -> None:
        status, _ = self._connection.request(
            "PUT", f"/{step.name}/_mapping", body=step.body, allow=(400,)
        )
        if status == 400:
            raise StoreError(
                f"{self._connection.url}: index {step.name} cannot take the new mapping: delete the"
                " index and replay its posts, or let it age out under the version that made it."
            )

    def _template(self, name: str) -> dict[str, Any]:
        """The template as the server has it, {} when there is none."""
        status, answer = self._connection.request("GET", f"/_index_template/{name}", allow=(404,))
        if status == 404:
            return {}
        found: dict[str, Any] = answer["index_templates"][0]["index_template"]
        return found

    def _mappings(self, kind: Kind) -> dict[str, dict[str, Any]]:
        """`_meta` of the mapping of each index of a kind."""
        status, answer = self._connection.request(
            "GET",
            f"/{alias(self._prefix, kind)}-*/_mapping",
            allow=(404,),
            filter_path="*.mappings._meta",
        )
        if status == 404:
            return {}
        return {
            name: found["mappings"]["_meta"]
            for name, found in sorted(answer.items())
            if span(self._prefix, kind, name)
        }

    def _refuse_newer(self, name: str, meta: dict[str, Any]) -> None:
        if meta.get("tindon_mapping", 0) > MAPPING_VERSION:
            raise StoreError(
                f"{self._connection.url}: {name} was made by a newer Tindon (mapping"
                f" {meta['tindon_mapping']}, this one writes {MAPPING_VERSION}): upgrade Tindon."
            )


def _covers(standing: Any, wanted: Any) -> bool:
    """Whether the server holds all that is wanted; it adds defaults and writes numbers as text."""
    if isinstance(wanted, dict):
        return isinstance(standing, dict) and all(
            _covers(standing.get(name), value) for name, value in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(standing, list)
            and len(standing) == len(wanted)
            and all(map(_covers, standing, wanted))
        )
    return str(standing).lower() == str(wanted).lower()
