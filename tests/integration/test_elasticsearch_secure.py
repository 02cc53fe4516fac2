"""Elasticsearch 9 with TLS and users: access, limits, and an outage in the middle of writing."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.kafka.index import prepare
from deploy.local.java import SHORT
from deploy.local.ports import free_ports
from stores import StoreError, StoreUnavailable, open_store
from stores.elasticsearch import Access, ElasticsearchStore
from stores.retention import Ages
from streams.documents import Batch
from tests.contracts.store_documents import BASE, DAY, MINUTE, alert, post, rumor, trend
from tests.integration.secure_elasticsearch import (
    PASSWORD,
    SecureElasticsearch,
    make_certificates,
)

pytestmark = pytest.mark.elasticsearch

START_S = 180.0


@pytest.fixture(scope="module")
def node() -> Iterator[SecureElasticsearch]:
    state = Path(tempfile.mkdtemp(prefix="tindon-secure-"))
    state.chmod(0o755)
    ports = free_ports(2)
    server = SecureElasticsearch(state, *ports, heap="512m", version="9.1.3", java_options=SHORT)
    try:
        server.start()
        server.wait(START_S)
        yield server
    finally:
        server.stop()
        shutil.rmtree(state, ignore_errors=True)


def opened(node: SecureElasticsearch, prefix: str, **changes: str | float) -> ElasticsearchStore:
    values: dict[str, str | float] = {
        "url": node.url,
        "username": "admin",
        "password": PASSWORD,
        "ca_file": str(node.ca),
    }
    return ElasticsearchStore(Access(**(values | changes)), prefix=prefix)  # type: ignore[arg-type]


@pytest.fixture
def store(
    node: SecureElasticsearch, request: pytest.FixtureRequest
) -> Iterator[ElasticsearchStore]:
    store = opened(node, f"t{abs(hash(request.node.name))}-")
    store.ensure_templates()
    yield store
    store.close()


def test_version_9_over_tls_keeps_documents(store: ElasticsearchStore) -> None:
    assert "Elasticsearch 9.1.3" in store.check()
    assert store.ensure_templates() == []
    batch = Batch(rumors=[rumor()], alerts=[alert()], posts=[post()], trends=[trend()])
    assert store.write(batch) == 4
    assert store.write(Batch(rumors=[rumor(version=0)])) == 0
    store.refresh()
    assert store.rumors() == [rumor()]
    assert store.alerts() == [alert()]
    assert store.search("dap") == [post()]
    assert store.trends(BASE, BASE + 1) == [trend()]


def test_a_writer_needs_no_rights_over_templates(
    node: SecureElasticsearch, store: ElasticsearchStore
) -> None:
    writer = opened(node, store.prefix, username="writer")
    assert writer.write(Batch(rumors=[rumor()])) == 1
    writer.refresh()
    assert writer.rumors() == [rumor()]
    writer.close()


def test_a_writer_may_not_make_templates(node: SecureElasticsearch) -> None:
    writer = opened(node, "forbidden-", username="writer")
    with pytest.raises(StoreError, match=r"forbids.*role"):
        writer.ensure_templates()
    with pytest.raises(StoreError, match=r"missing: run `tindon apply`"):
        writer.write(Batch(rumors=[rumor()]))
    writer.close()


def test_the_rights_that_the_documents_name_suffice_for_set_up_and_retention(
    node: SecureElasticsearch, store: ElasticsearchStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write(Batch(posts=[post()]))
    for module in ("mappings", "templates"):
        monkeypatch.setattr(f"stores.elasticsearch.{module}.MAPPING_VERSION", 99)
    setup = opened(node, store.prefix, username="setup")
    steps = setup.ensure_templates()
    assert [step.what for step in steps].count("mapping of index") == 1  # the post's
    assert len(steps) == 10  # three components, six templates
    assert setup.expire(Ages(), BASE + 40 * DAY)["posts"] == 1
    setup.close()


def test_a_reader_may_not_write(node: SecureElasticsearch, store: ElasticsearchStore) -> None:
    reader = opened(node, store.prefix, username="reader")
    assert reader.rumors() == []
    with pytest.raises(StoreError, match="give the user the role of a writer"):
        reader.write(Batch(rumors=[rumor()]))
    reader.close()


def test_each_role_may_do_its_work_and_no_more(
    node: SecureElasticsearch, store: ElasticsearchStore
) -> None:
    batch = Batch(posts=[post()], alerts=[alert()], rumors=[rumor(open=False)], trends=[trend()])
    writer = opened(node, store.prefix, username="writer")
    prepare(writer)
    assert writer.write(batch) == 4
    store.refresh()
    analyst = opened(node, store.prefix, username="analyst")
    assert analyst.posts("r1") == [post()]
    lead = opened(node, store.prefix, username="lead")
    assert lead.alerts() == [alert()]
    with pytest.raises(StoreError, match="forbids"):
        lead.connection.request("GET", f"/{store.prefix}posts/_search")
    for reader in (analyst, lead):
        with pytest.raises(StoreError, match="forbids"):
            reader.connection.request("DELETE", f"/{store.prefix}trends-2026.03")
    store.connection.request("PUT", f"/{store.prefix}claims-2026.03")
    with pytest.raises(StoreError, match="forbids"):
        writer.connection.request("DELETE", f"/{store.prefix}claims-2026.03")
    assert writer.expire(Ages(), BASE + 40 * DAY)["posts"] == 1
    with pytest.raises(StoreError, match="forbids"):
        analyst.connection.request("GET", f"/{store.prefix}audit/_search")
    for one in (writer, analyst, lead):
        one.close()


def test_a_wrong_password_is_told(node: SecureElasticsearch) -> None:
    store = opened(node, "x-", password="wrong")
    with pytest.raises(StoreError, match=r"does not accept the log-in.*elasticsearch\.password"):
        store.check()
    store.close()


def test_a_wrong_api_key_is_told(node: SecureElasticsearch) -> None:
    store = opened(node, "x-", username="", api_key="d3Jvbmc6a2V5")
    with pytest.raises(StoreError, match=r"does not accept the log-in.*elasticsearch\.api_key"):
        store.check()
    store.close()


def test_a_wrong_authority_is_told(node: SecureElasticsearch, tmp_path: Path) -> None:
    make_certificates(tmp_path / "other")
    store = opened(node, "x-", ca_file=str(tmp_path / "other" / "ca.pem"))
    with pytest.raises(StoreError, match=r"TLS.*elasticsearch\.ca_file") as caught:
        store.check()
    assert not isinstance(caught.value, StoreUnavailable), "waiting does not mend it"
    store.close()


def test_an_authority_that_is_no_file_is_told(node: SecureElasticsearch, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"ca_file.*PEM"):
        opened(node, "x-", ca_file=str(tmp_path / "none.pem"))
    (tmp_path / "bad.pem").write_text("no certificate")
    with pytest.raises(StoreError, match=r"ca_file.*PEM"):
        opened(node, "x-", ca_file=str(tmp_path / "bad.pem"))


def test_http_where_https_is_spoken_is_told(node: SecureElasticsearch) -> None:
    store = opened(node, "x-", url=node.url.replace("https", "http"), ca_file="")
    with pytest.raises(StoreError, match="http or https"):
        store.check()
    store.close()


def test_a_document_above_the_servers_limit_is_handed_back(store: ElasticsearchStore) -> None:
    """The node takes 1 MB in a request: batches are halved, one post of 2 MB is refused."""
    huge = post("huge", text="x" * 2_000_000)
    small = [post(f"p{i}", text="đập " * 500) for i in range(1500)]
    delivery = store.deliver(Batch(posts=[*small[:700], huge, *small[700:]]))
    assert [each.document for each in delivery.rejected] == [huge]
    assert "http.max_content_length" in delivery.rejected[0].reason
    assert delivery.stored == 1500
    store.refresh()
    assert store.counts()["posts"] == 1500


def test_an_overloaded_server_loses_nothing(store: ElasticsearchStore) -> None:
    """The node holds 2 MB of writes at a time and answers 429 to the rest."""
    retries: list[int] = []
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            posts = [post(f"{number}-{i}", text="đập " * 400) for i in range(400)]
            retries.append(store.deliver(Batch(posts=posts), 120).retries)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sum(retries) > 0, "the node refused nothing: the test did not test"
    store.refresh()
    assert store.counts()["posts"] == 8 * 400


def test_open_store_takes_plain_settings(node: SecureElasticsearch) -> None:
    store = open_store(
        "elasticsearch", url=node.url, username="admin", password=PASSWORD, ca_file=node.ca
    )
    assert isinstance(store, ElasticsearchStore)
    assert "9.1.3" in store.check()
    assert PASSWORD not in repr(store) + repr(Access(url=node.url, password=PASSWORD))
    store.close()


def test_an_outage_in_the_middle_loses_and_doubles_nothing(
    node: SecureElasticsearch, store: ElasticsearchStore
) -> None:
    """Runs last: it kills the node and starts it again."""
    batches = [
        Batch(
            rumors=[rumor(f"r{i % 7}", version=i + 1, score=float(i))],
            posts=[post(f"p{i}-{k}", version=i + 1) for k in range(20)],
            trends=[trend(BASE + i % 5 * 5 * MINUTE, version=i + 1, posts=i)],
        )
        for i in range(60)
    ]
    for batch in batches[:20]:
        store.write(batch)
    node.kill()
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        store.deliver(batches[20], 1.0)
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        store.rumors()

    written = threading.Event()

    def work() -> None:
        for batch in batches[15:]:  # a restart from a checkpoint sends some again
            store.deliver(batch, START_S)
        written.set()

    thread = threading.Thread(target=work)
    thread.start()
    node.start()
    node.wait(START_S)
    thread.join()
    assert written.is_set()
    store.refresh()
    assert store.counts() == {"rumors": 7, "alerts": 0, "posts": 1200, "trends": 5}
    assert store.rumors(limit=1) == [rumor("r3", version=60, score=59.0)]
    assert [t.posts for t in store.trends(0, 2**50)] == [55, 56, 57, 58, 59]
