"""An index with older fields is copied and its name handed on; nothing is lost, writers go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from stores import StoreError, StoreUnavailable
from stores.elasticsearch import ElasticsearchStore, mappings, shapes
from stores.elasticsearch.upgrade import Upgrade
from stores.folding import folded
from stores.retention import Ages
from streams.documents import Batch
from tests.contracts.store_documents import BASE, DAY, alert, post, rumor, trend
from tests.integration.test_elasticsearch_store import drop

pytestmark = pytest.mark.elasticsearch

PAGE = 100
MANY = 250  # more than one page of the copy


@pytest.fixture
def store(elasticsearch_url: str, fresh_name: Callable[[], str]) -> Iterator[ElasticsearchStore]:
    """Posts, a rumor and a trend of this version, in two shards: the copy must look at both."""
    store = ElasticsearchStore(elasticsearch_url, prefix=f"{fresh_name()}-", shards=2)
    store.ensure_templates()
    posts = [post(f"p{i}") for i in range(MANY)]
    store.write(Batch(posts=posts, rumors=[rumor()], alerts=[alert()], trends=[trend()]))
    yield store
    drop(store)
    store.close()


@pytest.fixture
def later(store: ElasticsearchStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on the next Tindon runs: it folds text otherwise and counts trends in decimals."""
    monkeypatch.setattr("stores.elasticsearch.upgrade.PAGE", PAGE)
    for name in ("MAPPING_VERSION", "FOLDING_VERSION"):
        for module in ("mappings", "templates"):
            monkeypatch.setattr(f"stores.elasticsearch.{module}.{name}", 99)
    monkeypatch.setattr(shapes, "folded", lambda text: f"anew {folded(text)}")
    used, fields = mappings._KINDS["trends"]
    counts = {**fields["trend"]["properties"], "posts": mappings.DOUBLE}
    monkeypatch.setitem(mappings._KINDS, "trends", (used, {"trend": {"properties": counts}}))


def indices(store: ElasticsearchStore) -> list[str]:
    _, found = store.connection.request("GET", f"/{store.prefix}*/_settings/index.uuid")
    return sorted(name.removeprefix(store.prefix) for name in found)


def test_nothing_is_lost_while_a_writer_writes(
    store: ElasticsearchStore, later: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = Upgrade._copy
    refused: list[str] = []

    def beside(self: Upgrade, kind: str, old: str, new: str, query: dict[str, Any]) -> None:
        """The writer's writes come where they hurt most: after the first copy, and in the block."""
        if kind == "posts" and "range" in query:
            with pytest.raises(StoreUnavailable, match="tindon apply"):
                store.deliver(Batch(posts=[post("blocked")]), 0.1)
            refused.append(old)
        copied(self, kind, old, new, query)  # type: ignore[arg-type]
        if kind == "posts" and "match_all" in query:
            fresh = [post("p7", version=3, text="mới hơn"), post("fresh")]
            assert store.write(Batch(posts=fresh)) == 2

    monkeypatch.setattr(Upgrade, "_copy", beside)
    steps = [str(step) for step in store.plan() if step.action == "reindex"]
    assert steps == [
        f"reindex index {store.prefix}{name}"
        for name in ("alerts-2026.03", "rumors-2026.03", "posts-2026.03.01", "trends-2026.03")
    ]
    with pytest.raises(StoreError, match="run `tindon apply`"):
        store.ensure_templates(copies=False)
    said: list[str] = []
    store.ensure_templates(said.append)
    assert store.plan() == []
    assert refused == [f"{store.prefix}posts-2026.03.01"]
    assert indices(store) == [
        "copy1-alerts-2026.03", "copy1-posts-2026.03.01", "copy1-rumors-2026.03",
        "copy1-trends-2026.03",
    ]  # fmt: skip
    assert store.write(Batch(posts=[post("blocked"), post("p8", version=0)])) == 1
    store.refresh()
    found = {one.post_id: one for one in store.posts("r1", limit=10_000)}
    assert set(found) == {f"p{i}" for i in range(MANY)} | {"fresh", "blocked"}
    assert found["p7"] == post("p7", version=3, text="mới hơn")
    assert found["p8"] == post("p8")
    assert store.rumors() == [rumor()]
    assert store.alerts() == [alert()]
    assert store.trends(BASE, BASE + 1) == [trend()]
    assert len(store.search("anew", limit=10_000)) == MANY + 2, "all were folded anew"
    # An index that was copied is copied again, and ages out like any other.
    monkeypatch.setattr("stores.elasticsearch.mappings.FOLDING_VERSION", 100)
    monkeypatch.setattr("stores.elasticsearch.templates.FOLDING_VERSION", 100)
    monkeypatch.setattr(Upgrade, "_copy", copied)
    store.ensure_templates()
    assert "copy2-posts-2026.03.01" in indices(store)
    store.write(Batch(rumors=[rumor(version=2, open=False)]))
    assert store.expire(Ages(), BASE + 40 * DAY)["posts"] == MANY + 2
    assert "copy2-posts-2026.03.01" not in indices(store)
    assert store.write(Batch(posts=[post("after")])) == 1


def test_a_copy_that_fails_leaves_the_old_index_as_it_was(
    store: ElasticsearchStore, later: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def differ(self: Upgrade, old: str, new: str) -> None:
        raise StoreError("the counts differ")

    with monkeypatch.context() as broken:
        broken.setattr(Upgrade, "_compare", differ)
        with pytest.raises(StoreError, match="differ"):
            store.ensure_templates()
    assert store.write(Batch(alerts=[alert(version=2)])) == 1, "the block was lifted"
    store.refresh()
    assert store.counts() == {"rumors": 1, "alerts": 1, "posts": MANY, "trends": 1}
    assert "upgrade" not in indices(store)
    assert "copy1-alerts-2026.03" in indices(store), "what a crash would leave too"
    store.ensure_templates()
    assert store.alerts() == [alert(version=2)]
    assert store.plan() == []


def test_what_stops_a_copy_is_told(store: ElasticsearchStore, later: None) -> None:
    path = f"/{store.prefix}alerts-2026.03/_doc/strange"
    store.connection.request("PUT", path, body={"message": "of another program"})
    with pytest.raises(StoreError, match=r"document strange of .*alerts-2026\.03 cannot be read"):
        store.ensure_templates()
    store.connection.request("PUT", f"/{store.prefix}upgrade")
    with pytest.raises(StoreError, match=r"another `tindon apply`.*delete the index .*upgrade"):
        store.ensure_templates()
    assert "copy1-posts-2026.03.01" not in indices(store)
