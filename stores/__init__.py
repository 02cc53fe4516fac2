"""One interface, two stores: SQLite and Elasticsearch."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from stores.base import Store, StoreError, StoreUnavailable

__all__ = ["Store", "StoreError", "StoreUnavailable", "open_store"]


def open_store(
    kind: Literal["sqlite", "elasticsearch"],
    *,
    path: str | Path | None = None,
    url: str = "",
    prefix: str = "tindon-",
    username: str = "",
    password: str = "",
    api_key: str = "",
    ca_file: str | Path | None = None,
    verify: bool = True,
    timeout_s: float = 30.0,
    shards: int = 1,
    replicas: int = 0,
) -> Store:
    """The store of that kind: `path` for SQLite, all others for Elasticsearch.

    Elasticsearch is first asked by the first question or write; its templates are made by
    `ElasticsearchStore.ensure_templates`. Raises StoreError.
    """
    if kind == "sqlite":
        from stores.sqlite import SqliteStore

        if path is None:
            raise ValueError("the SQLite store needs a path")
        return SqliteStore(path)
    # Imported here: the client takes a third of a second, and the embedded road has no use for it.
    from stores.elasticsearch import Access, ElasticsearchStore

    access = Access(
        url=url,
        username=username,
        password=password,
        api_key=api_key,
        ca_file=str(ca_file or ""),
        verify=verify,
        timeout_s=timeout_s,
    )
    return ElasticsearchStore(access, prefix=prefix, shards=shards, replicas=replicas)
