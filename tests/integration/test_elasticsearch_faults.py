"""Elasticsearch that refuses: poison documents, blocked indices, other templates; retention."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from stores import StoreError, StoreUnavailable
from stores.elasticsearch import ElasticsearchStore, mappings
from stores.retention import Ages
from streams.documents import Batch
from tests.contracts.store_documents import BASE, DAY, MINUTE, alert, post, rumor, signal, trend

pytestmark = pytest.mark.elasticsearch

MONTH = 31 * DAY  # from 2026-03-01, the contract documents' time, into April


@pytest.fixture
def bare(elasticsearch_url: str, fresh_name: Callable[[], str]) -> Iterator[ElasticsearchStore]:
    """A store without templates."""
    store = ElasticsearchStore(elasticsearch_url, prefix=f"{fresh_name()}-")
    yield store
    for name in indices(store):
        store.connection.request("DELETE", f"/{name}", allow=(404,))
    for path in ("_index_template", "_component_template"):
        store.connection.request("DELETE", f"/{path}/{store.prefix}*", allow=(404,))
    store.close()


@pytest.fixture
def store(bare: ElasticsearchStore) -> ElasticsearchStore:
    bare.ensure_templates()
    return bare


def indices(store: ElasticsearchStore) -> list[str]:
    return sorted(store.connection.request("GET", f"/{store.prefix}*/_settings/index.uuid")[1])


def test_poison_documents_are_handed_back_beside_good_ones(store: ElasticsearchStore) -> None:
    poison = [
        post("big", reach=2**70),  # beyond Elasticsearch's long
        rumor("nan", score=float("nan")),
        rumor("inf", signals=[signal(value=float("inf"))]),
        post("late", created_at=10**17),  # beyond the year 9999
        post("torn", text="\ud800"),  # half a character: no UTF-8
    ]
    good = [post(f"p{i}") for i in range(10)]
    delivery = store.deliver(
        Batch(posts=[*poison[:1], *good, *poison[3:]], rumors=[rumor(), *poison[1:3]])
    )
    assert delivery.stored == 11
    assert {id(each.document) for each in delivery.rejected} == set(map(id, poison))
    assert all(each.reason and "\n" not in each.reason for each in delivery.rejected)
    with pytest.raises(StoreError, match="refused 1 documents"):
        store.write(Batch(posts=poison[:1]))


def test_a_field_that_the_mapping_does_not_know_is_refused(store: ElasticsearchStore) -> None:
    store.write(Batch(trends=[trend()]))
    status, answer = store.connection.request(
        "PUT", f"/{store.prefix}trends-2026.03/_doc/x", body={"guess": 1}, allow=(400,)
    )
    assert status == 400
    assert "strict" in answer["error"]["type"]


def test_every_field_that_is_written_is_mapped_as_planned(store: ElasticsearchStore) -> None:
    store.write(Batch(rumors=[rumor()], alerts=[alert()], posts=[post(url="u")], trends=[trend()]))
    for kind in ("alerts", "rumors", "posts", "trends"):
        _, answer = store.connection.request("GET", f"/{store.prefix}{kind}/_mapping")
        [found] = answer.values()
        assert set(found["mappings"]["properties"]) == set(mappings.mapping(kind)["properties"])


def test_documents_land_in_the_index_of_their_time(store: ElasticsearchStore) -> None:
    for version in (1, 2):  # a later version, with later times, lands in the same place
        store.write(
            Batch(
                rumors=[rumor(version=version, last_post_at=BASE + version * MONTH)],
                alerts=[alert(version=version, updated_at=BASE + version * MONTH)],
                posts=[post(version=version)],
                trends=[trend(version=version), trend(BASE + MONTH)],
            )
        )
    names = [name.removeprefix(store.prefix) for name in indices(store)]
    assert names == [
        "alerts-2026.03", "posts-2026.03.01", "rumors-2026.03", "trends-2026.03", "trends-2026.04",
    ]  # fmt: skip
    store.refresh()
    assert store.counts() == {"rumors": 1, "alerts": 1, "posts": 1, "trends": 2}


def test_a_blocked_index_asks_for_a_pause_and_goes_on_when_mended(
    store: ElasticsearchStore,
) -> None:
    store.write(Batch(rumors=[rumor()]))
    name = f"/{store.prefix}rumors-2026.03/_settings"
    store.connection.request("PUT", name, body={"index.blocks.read_only": True})
    with pytest.raises(StoreUnavailable, match=r"takes no writes.*remove the block"):
        store.deliver(Batch(rumors=[rumor(version=2)]), 1.0)
    store.connection.request("PUT", name, body={"index.blocks.read_only": None})
    assert store.write(Batch(rumors=[rumor(version=2)])) == 1


def test_writing_without_templates_is_refused(bare: ElasticsearchStore) -> None:
    with pytest.raises(StoreError, match=r"missing: run `tindon apply`"):
        bare.write(Batch(rumors=[rumor()]))
    assert indices(bare) == []
    assert bare.rumors() == []
    bare.ensure_templates()
    assert bare.write(Batch(rumors=[rumor()])) == 1


def test_the_plan_tells_what_would_be_done(bare: ElasticsearchStore) -> None:
    names = ("alerts", "rumors", "posts", "trends", "claims", "audit")
    shared = ("settings", "base", "rumor-fields")
    lines = [f"create component template {bare.prefix}{name}" for name in shared]
    lines += [f"create index template {bare.prefix}{name}" for name in names]
    assert [str(step) for step in bare.plan()] == lines
    assert [str(step) for step in bare.plan()] == lines, "a plan changes nothing"
    assert [str(step) for step in bare.ensure_templates()] == lines
    assert bare.plan() == bare.ensure_templates() == []
    other = ElasticsearchStore(bare.connection.url, prefix=bare.prefix, replicas=1)
    assert list(map(str, other.plan())) == [f"update component template {bare.prefix}settings"]
    other.close()


def test_an_older_mapping_is_raised_in_place(
    store: ElasticsearchStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write(Batch(rumors=[rumor()]))
    for module in ("mappings", "templates"):
        monkeypatch.setattr(f"stores.elasticsearch.{module}.MAPPING_VERSION", 99)
    newer = ElasticsearchStore(store.connection.url, prefix=store.prefix)
    with pytest.raises(StoreError, match=r"older: run `tindon apply`"):
        newer.write(Batch(rumors=[rumor(version=2)]))
    assert f"update mapping of index {store.prefix}rumors-2026.03" in map(str, newer.plan())
    newer.ensure_templates()
    assert newer.plan() == []
    assert newer.write(Batch(rumors=[rumor(version=2)])) == 1
    newer.refresh()
    assert newer.rumors() == [rumor(version=2)]
    newer.close()

    monkeypatch.undo()
    with pytest.raises(StoreError, match=r"newer Tindon.*upgrade"):
        store.ensure_templates()


def test_questions_reach_beyond_ten_thousand(store: ElasticsearchStore) -> None:
    """Elasticsearch's own window ends at 10,000 documents."""
    many = [trend(BASE + i * 5 * MINUTE % (20 * DAY), platform=f"p{i}") for i in range(10_050)]
    posts = [post(f"{i:05d}", text="x") for i in range(10_050)]
    store.write(Batch(trends=many, posts=posts))
    store.refresh()
    found = store.trends(0, 2**50)
    assert found == sorted(many, key=lambda t: (t.bucket, t.language, t.platform))
    assert store.posts("r1", limit=20, offset=10_040) == posts[10_040:]


def test_retention_drops_whole_indices_but_none_of_an_open_rumor(
    store: ElasticsearchStore,
) -> None:
    may = BASE + 2 * MONTH - 2 * DAY
    store.write(
        Batch(
            rumors=[
                rumor("open"),
                rumor("closed", open=False),
                rumor("april", open=False, born_at=BASE + MONTH),
            ],
            alerts=[
                alert("a1", rumor_id="open"),
                alert("a2", rumor_id="april", raised_at=BASE + MONTH),
            ],
            posts=[
                post("p1", rumor_id="open"),
                post("p2", rumor_id="closed", created_at=BASE + DAY),
                post("p3", rumor_id="closed", created_at=BASE + MONTH),
            ],
            trends=[trend(BASE), trend(BASE + MONTH)],
        )
    )
    store.connection.request("PUT", f"/{store.prefix}posts-other")
    store.connection.request("PUT", f"/{store.prefix}claims-2026.03")
    ages = Ages(posts=30, trends=10, rumors=10, alerts=10)
    short = lambda names: [name.removeprefix(store.prefix) for name in names]  # noqa: E731
    assert short(store.expired(ages, BASE + 20 * DAY)) == [], "nothing is old enough yet"
    assert short(store.expired(ages, may)) == ["posts-2026.03.02", "trends-2026.03"]
    assert store.expire(ages, may) == {"alerts": 0, "rumors": 0, "posts": 1, "trends": 1}
    store.write(Batch(rumors=[rumor("open", version=2, open=False)]))
    gone = store.expire(ages, may + 20 * DAY)
    assert gone == {"alerts": 2, "rumors": 3, "posts": 2, "trends": 1}
    assert short(indices(store)) == ["claims-2026.03", "posts-other"]


def test_a_server_that_is_not_there_is_told() -> None:
    store = ElasticsearchStore("http://127.0.0.1:9", prefix="x-")
    for question in (store.check, store.rumors, store.refresh, store.ensure_templates):
        with pytest.raises(StoreUnavailable, match=r"cannot be reached.*tindon up.*url"):
            question()
    store.close()


def test_check_tells_version_and_health(store: ElasticsearchStore) -> None:
    assert store.check().startswith("Elasticsearch 8.19.")
