"""What the Elasticsearch store does with answers that a real server gives too seldom to wait for.

The answers are scripted by a small HTTP server; everything on our side is real.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from msgspec.structs import replace

from stores import StoreError, StoreUnavailable, open_store
from stores.elasticsearch import Access, ElasticsearchStore
from stores.elasticsearch.bulk import Bulk, Patience
from stores.elasticsearch.client import Connection
from stores.elasticsearch.durations import durations
from stores.elasticsearch.names import document_id, index, place, span
from stores.elasticsearch.shapes import alert as alert_back
from stores.elasticsearch.shapes import post as post_back
from stores.elasticsearch.shapes import rumor as rumor_back
from stores.elasticsearch.shapes import shape
from stores.elasticsearch.shapes import trend as trend_back
from stores.elasticsearch.values import iso, ms
from streams.documents import Step, Triage
from tests.contracts.store_documents import BASE, alert, post, rumor, trend

Answer = tuple[int, Any]
Script = Callable[[str, str, bytes], Answer]


class Scripted(ThreadingHTTPServer):
    daemon_threads = True
    script: Script

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Scripted

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        status, answer = self.server.script(self.command, self.path, body)
        raw = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        kind = "text/html" if isinstance(answer, bytes) else "application/json"
        self.send_header("content-type", kind)
        if not isinstance(answer, bytes):
            self.send_header("x-elastic-product", "Elasticsearch")
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    do_GET = do_POST = do_PUT = _answer

    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Scripted]:
    server = Scripted(("127.0.0.1", 0), _Answers)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def bulk(server: Scripted, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bulk]:
    monkeypatch.setattr("stores.elasticsearch.bulk.FIRST_WAIT_S", 0.001)
    connection = Connection(Access(url=server.url))
    yield Bulk(connection, "t-")
    connection.close()


def ids(body: bytes) -> list[str]:
    return [json.loads(line)["index"]["_id"] for line in body.splitlines()[::2]]


def item(status: int, kind: str = "", reason: str = "") -> dict[str, Any]:
    error = {"error": {"type": kind, "reason": reason}} if kind else {}
    return {"index": {"status": status, **error}}


class TestBulk:
    def test_only_the_items_that_failed_are_sent_again(self, server: Scripted, bulk: Bulk) -> None:
        sent: list[list[str]] = []
        full = "es_rejected_execution_exception"
        plans = [
            [item(201), item(429, full), item(409, "version_conflict"), item(503, "x")],
            [item(429, full), item(200)],
            [item(201)],
        ]  # fmt: skip

        def script(method: str, path: str, body: bytes) -> Answer:
            sent.append(ids(body))
            return 200, {"items": plans[len(sent) - 1]}

        server.script = script
        delivery = bulk.deliver([rumor(f"r{i}") for i in range(4)], Patience(10))
        assert sent == [["r0", "r1", "r2", "r3"], ["r1", "r3"], ["r1"]]
        assert delivery == (3, 1, [], 3)

    @pytest.mark.parametrize("status", [429, 502, 503, 504])
    def test_a_request_that_is_refused_for_now_is_sent_again(
        self, server: Scripted, bulk: Bulk, status: int
    ) -> None:
        answers = iter([(status, {"error": {"type": "busy", "reason": "later"}})] * 3)
        server.script = lambda *_: next(answers, (200, {"items": [item(201)]}))
        assert bulk.deliver([rumor()], Patience(10)).stored == 1

    def test_the_deadline_ends_the_trying(self, server: Scripted, bulk: Bulk) -> None:
        server.script = lambda *_: (200, {"items": [item(429, "full", "queue capacity")]})
        with pytest.raises(StoreUnavailable, match=r"queue capacity.*wait for it"):
            bulk.deliver([rumor()], Patience(0.3))

    @pytest.mark.parametrize(
        ("answer", "error", "words"),
        [
            (item(403, "security_exception", "no"), StoreError, "role of a writer"),
            (item(404, "index_not_found_exception", "no"), StoreError, "auto_create_index"),
            (item(400, "validation_exception", "1000 shards"), StoreError, "max_shards_per_node"),
            (item(403, "cluster_block_exception", "FORBIDDEN/8"), StoreUnavailable, "free disk"),
        ],
    )
    def test_what_people_must_mend_is_told_and_not_dead_lettered(
        self,
        server: Scripted,
        bulk: Bulk,
        answer: dict[str, Any],
        error: type[StoreError],
        words: str,
    ) -> None:
        server.script = lambda *_: (200, {"items": [answer]})
        with pytest.raises(error, match=words) as caught:
            bulk.deliver([rumor()], Patience(5))
        assert type(caught.value) is error

    def test_a_failed_shard_is_waited_for(self, server: Scripted, bulk: Bulk) -> None:
        """500 may pass: giving the document up would lose it."""
        answers = iter([item(500, "io_exception", "disk"), item(201)])
        server.script = lambda *_: (200, {"items": [next(answers)]})
        assert bulk.deliver([rumor()], Patience(10)) == (1, 0, [], 1)

    def test_a_mapping_refusal_is_handed_back(self, server: Scripted, bulk: Bulk) -> None:
        refusal = item(400, "document_parsing_exception", "failed to parse [rumor.reach]")
        server.script = lambda *_: (200, {"items": [item(201), refusal]})
        delivery = bulk.deliver([rumor("r1"), rumor("r2")], Patience(5))
        assert delivery.stored == 1
        assert [(r.document, "rumor.reach" in r.reason) for r in delivery.rejected] == [
            (rumor("r2"), True)
        ]

    def test_requests_stay_below_their_bounds(self, server: Scripted, bulk: Bulk) -> None:
        sizes: list[tuple[int, int]] = []

        def script(method: str, path: str, body: bytes) -> Answer:
            sizes.append((len(ids(body)), len(body)))
            return 200, {"items": [item(201)] * len(ids(body))}

        server.script = script
        posts = [post(f"s{i}", text="") for i in range(2500)]
        posts += [post(f"l{i}", text="x y " * 100_000) for i in range(20)]
        assert bulk.deliver(posts, Patience(60)).stored == 2520
        assert all(count <= 1000 and size <= 5 * 1024 * 1024 for count, size in sizes)


class TestWrongServers:
    def told(self, server: Scripted) -> str:
        store = ElasticsearchStore(server.url)
        with pytest.raises(StoreError) as caught:
            store.ensure_templates()
        store.close()
        assert "\n" not in str(caught.value)
        return str(caught.value)

    def test_version_7_that_speaks_the_new_media_type(self, server: Scripted) -> None:
        server.script = lambda *_: (200, {"nodes": {"a": {"version": "7.17.9"}}})
        assert "7.17.9" in self.told(server)

    def test_version_7_that_refuses_the_media_type(self, server: Scripted) -> None:
        reason = "Accept version must be either version 7 or 6, but found 8. Accept=application/..."
        error = {"error": {"type": "media_type_header_exception", "reason": reason}, "status": 400}
        server.script = lambda *_: (400, error)
        assert "version 8.19 or 9 is needed" in self.told(server)

    def test_a_web_server(self, server: Scripted) -> None:
        server.script = lambda *_: (200, b"<html>hello</html>")
        assert "elasticsearch.url" in self.told(server)

    def test_a_proxy_that_is_in_the_way(self, server: Scripted) -> None:
        server.script = lambda *_: (503, b"<html>no upstream</html>")
        assert "wait for it" in self.told(server)

    def test_a_red_cluster(self, server: Scripted) -> None:
        def script(method: str, path: str, body: bytes) -> Answer:
            if path.startswith("/_nodes"):
                return 200, {"nodes": {"a": {"version": "8.19.3"}}}
            return 200, {"status": "red", "unassigned_shards": 3}

        server.script = script
        store = ElasticsearchStore(server.url)
        with pytest.raises(StoreUnavailable, match="red, 3 shards"):
            store.check()
        store.close()

    @pytest.mark.parametrize("url", ["", "localhost", "ftp://x", "http://x:port"])
    def test_no_address(self, url: str) -> None:
        with pytest.raises(StoreError, match="http://host:9200"):
            open_store("elasticsearch", url=url)

    @pytest.mark.parametrize("prefix", ["", "Upper", "_x", "a/b", "a*", "a,b", "-x", "a b"])
    def test_a_prefix_that_names_no_index(self, prefix: str) -> None:
        with pytest.raises(StoreError, match=r"store\.prefix.*lower-case"):
            open_store("elasticsearch", url="http://127.0.0.1:9200", prefix=prefix)


class TestShapes:
    def test_the_shape_is_ecs_where_ecs_has_a_name(self) -> None:
        kept = shape(alert(level="confirm", version=7))
        assert kept["@timestamp"] == kept["event"]["created"] == "2026-03-01T00:10:00.001Z"
        assert kept["event"]["kind"] == "alert"
        assert kept["event"]["severity"] == 73
        assert kept["event"]["sequence"] == 7
        assert kept["rule"]["name"] == "rumor.confirm"
        assert kept["message"] == "đập Sông Mơ sắp vỡ"
        assert shape(post())["text_folded"] == "nghe noi dap song mo sap vo co that khong"

    @pytest.mark.parametrize("time", [0, -1, 1, 999, BASE + 1, -(10**12) - 7, 253_402_300_799_999])
    def test_any_time_comes_back(self, time: int) -> None:
        assert post_back(shape(post(created_at=time))).created_at == time
        assert trend_back(shape(trend(time))).bucket == time
        assert rumor_back(shape(rumor(born_at=time))).born_at == time
        assert alert_back(shape(alert(confirmed_at=time))).confirmed_at == time


class TestNames:
    def test_indices_are_named_by_day_and_month(self) -> None:
        assert index("t-", "posts", BASE) == "t-posts-2026.03.01"
        assert index("t-", "posts", BASE - 1) == "t-posts-2026.02.28"
        assert index("t-", "alerts", BASE) == "t-alerts-2026.03"
        assert index("t-", "trends", -(10**13)) == "t-trends-1653.02"

    def test_a_document_keeps_its_place_whatever_its_version(self) -> None:
        for make in (rumor, alert, post):
            assert place("t-", make(version=1)) == place("t-", make(version=9, reach=0))
        assert place("t-", trend(version=1)) == place("t-", trend(version=2, posts=9))
        assert place("t-", trend(platform="a", language="b:1")) != place(
            "t-", trend(platform="1:a", language="b")
        )

    def test_span_is_the_time_of_an_index(self) -> None:
        assert span("t-", "posts", "t-posts-2026.03.01") == (BASE, BASE + 86_400_000)
        begin, end = span("t-", "rumors", "t-rumors-2025.12") or (0, 0)
        assert index("t-", "rumors", begin) == index("t-", "rumors", end - 1) == "t-rumors-2025.12"
        assert index("t-", "rumors", end) == "t-rumors-2026.01"
        assert index("t-", "rumors", begin - 1) == "t-rumors-2025.11"

    @pytest.mark.parametrize(
        "name",
        ["t-posts-2026.03", "t-posts-2026.13.01", "t-posts-x", "u-posts-2026.03.01", "t-posts"],
    )
    def test_other_names_are_not_ours(self, name: str) -> None:
        assert span("t-", "posts", name) is None

    def test_long_ids_are_hashed(self) -> None:
        assert document_id("x" * 512) == "x" * 512
        assert document_id("ư" * 257).startswith("sha256:")
        assert document_id("x" * 513) != document_id("x" * 514)


class TestDurations:
    def test_each_is_counted_from_where_it_begins(self) -> None:
        steps = [
            Step(at=BASE + 60_000, who="", deed="reopened", why="", status="new"),
            Step(at=BASE + 90_000, who="Lan", deed="acknowledge", why="", status="acknowledged"),
            Step(at=BASE + 120_000, who="Lan", deed="verify", why="", status="verifying"),
        ]
        triage = Triage(history=steps, decided_at=BASE + 300_000, verdict="fake")
        told = alert(first_post_at=BASE - 7_999, raised_at=BASE, triage=triage)
        assert durations(told) == {
            "seconds_to_raise": 7,
            "seconds_to_acknowledge": 90,
            "seconds_to_verdict": 300,
            "seconds_to_correction": None,
        }
        answered = replace(triage, correction="Đập vẫn an toàn.")
        assert durations(replace(told, triage=answered))["seconds_to_correction"] == 300

    def test_what_has_not_happened_has_no_field(self) -> None:
        kept = shape(alert(first_post_at=BASE, raised_at=BASE - 5, triage=Triage()))["alert"]
        assert kept["seconds_to_raise"] == 0
        assert not {"seconds_to_acknowledge", "seconds_to_verdict"} & set(kept)


def test_https_where_http_is_spoken_is_told(server: Scripted) -> None:
    store = ElasticsearchStore(server.url.replace("http:", "https:"), prefix="t-")
    with pytest.raises(StoreError, match=r"speaks no TLS: write elasticsearch\.url with http"):
        store.check()
    store.close()


@pytest.mark.parametrize("time", [0, -1, 951_782_399_999, 1_790_000_012_345, 253_402_300_799_999])
def test_a_time_is_written_to_the_millisecond_and_read_back(time: int) -> None:
    whole = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time)
    assert iso(time) == whole.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert ms(iso(time)) == time
    assert index("x-", "posts", time) == f"x-posts-{whole:%Y.%m.%d}"


@pytest.mark.parametrize("time", [-62_135_596_800_001, 253_402_300_800_000])
def test_a_time_outside_of_the_calendar_is_told(time: int) -> None:
    for write in (iso, partial(index, "x-", "posts")):
        with pytest.raises(OverflowError):
            write(time)
