"""Templates: what the indices of each kind look like, planned and applied.

An index is made by the first document that falls into its month or day, from the template of its
kind, and joins the alias that questions use. What kinds share stands in component templates. Indices
that stand already are brought up to date in place where the server can, else copied (`upgrade`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from stores.base import StoreError
from stores.elasticsearch.client import Connection
from stores.elasticsearch.mappings import (
    MAPPING_VERSION,
    Mapping,
    components,
    composed_of,
    mapping,
    own,
)
from stores.elasticsearch.names import KINDS, Kind, alias, span
from stores.elasticsearch.upgrade import Upgrade
from stores.folding import FOLDING_VERSION

REFRESH = "1s"  # set: else an index that nobody asks goes to sleep
REFRESHED: dict[Kind, str] = {"posts": "500ms", "rumors": "2s", "trends": "5s"}
"""Where it differs: how soon a post is found counts; a refresh of rumors and counts costs as much."""

PRIORITY = 400  # above the templates that Elasticsearch brings (100 to 200)
COMPONENT, TEMPLATE, MAPPING, INDEX = (
    "component template",
    "index template",
    "mapping of index",
    "index",
)
_PATHS = {COMPONENT: "/_component_template", TEMPLATE: "/_index_template"}

Say = Callable[[str], None]


class Step(NamedTuple):
    """One change to the server. `str()` of it is the line of a plan."""

    action: str  # "create", "update", "reindex"
    what: str  # one of the four above
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
        self._settings = {
            "number_of_shards": str(shards),
            "number_of_replicas": str(replicas),
            "refresh_interval": REFRESH,
        }

    def component_bodies(self) -> dict[str, dict[str, Any]]:
        """The component templates by name."""
        meta = {"tindon_mapping": MAPPING_VERSION}
        bodies = {
            f"{self._prefix}{name}": {"_meta": meta, "template": {"mappings": shared}}
            for name, shared in components().items()
        }
        settings = {"settings": {"index": self._settings}}
        return {f"{self._prefix}settings": {"_meta": meta, "template": settings}, **bodies}

    def body(self, kind: Kind) -> dict[str, Any]:
        """The index template of a kind."""
        return {
            "index_patterns": [f"{alias(self._prefix, kind)}-*"],
            "priority": PRIORITY,
            "_meta": {"tindon_mapping": MAPPING_VERSION},
            "composed_of": [f"{self._prefix}{name}" for name in ("settings", *composed_of(kind))],
            "template": {
                "mappings": own(kind),
                "aliases": {alias(self._prefix, kind): {}},
                "settings": {"index": {"refresh_interval": REFRESHED.get(kind, REFRESH)}},
            },
        }

    def plan(self) -> list[Step]:
        """What `apply` would do; empty when all is as it should be.

        Raises StoreError when the server holds mappings of a newer Tindon.
        """
        steps = []
        bodies = [(COMPONENT, name, body) for name, body in self.component_bodies().items()]
        bodies += [(TEMPLATE, alias(self._prefix, kind), self.body(kind)) for kind in KINDS]
        for what, name, body in bodies:
            standing = self._template(what, name)
            self._refuse_newer(name, standing.get("_meta", {}))
            if not _covers(standing, body):
                steps.append(Step("update" if standing else "create", what, name, body))
        for kind in KINDS:
            steps += self._index_steps(kind)
        return steps

    def apply(self, say: Say = lambda _: None, *, copies: bool = True) -> list[Step]:
        """Make the server as planned; returns what was done. A second call does nothing.

        `say` hears of the progress of long work. Without `copies` an index that must be copied is
        refused with a StoreError that names the command.
        """
        steps = self.plan()
        for step in steps:
            if step.what in _PATHS:
                path = f"{_PATHS[step.what]}/{step.name}"
                self._connection.request("PUT", path, body=step.body)
            elif step.what == MAPPING:
                self._connection.request("PUT", f"/{step.name}/_mapping", body=step.body)
            elif not copies:
                raise StoreError(
                    f"{self._connection.url}: index {step.name} has an older mapping that must be"
                    " copied into a new one: run `tindon apply`."
                )
        copied = [step.name for step in steps if step.what == INDEX]
        if copied:
            Upgrade(self._connection, self._prefix, self._settings, say).run(copied)
        return steps

    def check(self) -> None:
        """Raises StoreError when templates are missing or older: mappings would be guessed."""
        for kind in KINDS:
            name = alias(self._prefix, kind)
            meta = self._template(TEMPLATE, name).get("_meta", {})
            self._refuse_newer(name, meta)
            if meta.get("tindon_mapping", 0) < MAPPING_VERSION:
                state = "older" if meta else "missing"
                raise StoreError(
                    f"{self._connection.url}: the index template {name} is {state}:"
                    " run `tindon apply`."
                )

    def _index_steps(self, kind: Kind) -> list[Step]:
        """What the indices of a kind need. A copy that was cut short is made again."""
        wanted = mapping(kind)
        steps = []
        for index, standing in self._mappings(kind).items():
            meta = standing.get("_meta", {})
            self._refuse_newer(index, meta)
            if not span(self._prefix, kind, index):
                continue
            folding = meta.get("tindon_folding", FOLDING_VERSION)
            if meta.get("tindon_mapping", 0) == MAPPING_VERSION and folding == FOLDING_VERSION:
                continue
            if folding == FOLDING_VERSION and _only_adds(standing, wanted):
                steps.append(Step("update", MAPPING, index, wanted))
            else:
                steps.append(Step("reindex", INDEX, index, wanted))
        return steps

    def _template(self, what: str, name: str) -> dict[str, Any]:
        """The template as the server has it, {} when there is none."""
        status, answer = self._connection.request("GET", f"{_PATHS[what]}/{name}", allow=(404,))
        if status == 404:
            return {}
        key = what.replace(" ", "_")
        found: dict[str, Any] = answer[f"{key}s"][0][key]
        return found

    def _mappings(self, kind: Kind) -> dict[str, Mapping]:
        """The mapping of each index of a kind."""
        _, answer = self._connection.request("GET", f"/{alias(self._prefix, kind)}-*/_mapping")
        return {name: found["mappings"] for name, found in sorted(answer.items())}

    def _refuse_newer(self, name: str, meta: dict[str, Any]) -> None:
        if meta.get("tindon_mapping", 0) > MAPPING_VERSION:
            raise StoreError(
                f"{self._connection.url}: {name} was made by a newer Tindon (mapping"
                f" {meta['tindon_mapping']}, this one writes {MAPPING_VERSION}): upgrade Tindon."
            )


def _only_adds(standing: Mapping, wanted: Mapping) -> bool:
    """Whether the server can take the new fields beside the old ones, none of which has changed."""
    for name, field in wanted.get("properties", {}).items():
        held = standing.get("properties", {}).get(name)
        if held is None:
            continue
        # The server does not tell the type of an object that has fields.
        plain = {key: value for key, value in field.items() if (key, value) != ("type", "object")}
        plain.pop("properties", None)
        if not (_covers(held, plain) and _only_adds(held, field)):
            return False
    return True


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
