"""The Elasticsearch store keeps the same contract as SQLite, on a real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from stores.elasticsearch import ElasticsearchStore
from tests.contracts.store import Reopen, StoreContract

pytestmark = pytest.mark.elasticsearch


@pytest.fixture
def store(elasticsearch_url: str, fresh_name: Callable[[], str]) -> Iterator[ElasticsearchStore]:
    store = ElasticsearchStore(elasticsearch_url, prefix=f"{fresh_name()}-")
    store.ensure_templates()
    yield store
    drop(store)
    store.close()


def drop(store: ElasticsearchStore) -> None:
    """Leave no index and no template behind."""
    indices = store.connection.request("GET", f"/{store.prefix}*/_settings/index.uuid")[1]
    for name in indices:
        store.connection.request("DELETE", f"/{name}", allow=(404,))
    for path in ("_index_template", "_component_template"):
        store.connection.request("DELETE", f"/{path}/{store.prefix}*", allow=(404,))


class TestElasticsearchStore(StoreContract):
    @pytest.fixture
    def reopen(self, store: ElasticsearchStore) -> Iterator[Reopen]:
        opened: list[ElasticsearchStore] = []

        def again() -> ElasticsearchStore:
            opened.append(ElasticsearchStore(store.connection.url, prefix=store.prefix))
            return opened[-1]

        yield again
        for other in opened:
            other.close()
