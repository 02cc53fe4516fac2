"""Kibana's objects, as hard as they can be checked without a Kibana; its panels on a real Elasticsearch."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from jsonschema import ValidationError, validate

from bench.desk_day import documents
from cli.main import main
from deploy.kibana import FOLDER, OBJECTS
from deploy.kibana.build import plain_objects
from deploy.kibana.client import Kibana, KibanaError, objects, rules
from deploy.kibana.queries import Asked, kql, panels, rows
from stores.elasticsearch import ElasticsearchStore
from tests import rule_form
from tests.integration.test_elasticsearch_store import drop

SAVED: list[dict[str, Any]] = [json.loads(line) for line in OBJECTS.read_text("utf-8").splitlines()]
BOARDS = [one for one in SAVED if one["type"] == "dashboard"]
ASKED = list(panels(SAVED))
POSTS = 1_500  # of the invented day; enough for alerts of both levels


def inside(value: Any, name: str) -> Iterator[Any]:
    """All values of that name in nested JSON."""
    if isinstance(value, dict):
        for key, one in value.items():
            if key == name:
                yield one
            yield from inside(one, name)
    elif isinstance(value, list):
        for one in value:
            yield from inside(one, name)


# --- the file


def test_the_compiled_file_is_what_the_yaml_gives() -> None:
    """The whole of it, where the compiler is installed: `make kibana`, which needs Python 3.12."""
    lock = hashlib.sha256((FOLDER / "requirements.lock").read_bytes()).hexdigest()[:16]
    cache = Path(os.environ.get("TINDON_CACHE") or Path.home() / ".cache" / "tindon")
    python = cache / f"kibana-{lock}" / "bin" / "python"
    if not python.exists():
        pytest.skip("the compiler of the dashboards is not installed: make kibana")
    done = subprocess.run(
        [python, "-m", "deploy.kibana.build", "--check"],
        cwd=FOLDER.parents[1], env={**os.environ, "PYTHONPATH": "."}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_needs_no_compiler_is_what_the_yaml_gives() -> None:
    plain = list(plain_objects())
    assert [one for one in SAVED if one["type"] != "dashboard"] == plain


def test_every_reference_leads_to_an_object_of_the_file() -> None:
    held = {(one["type"], one["id"]) for one in SAVED}
    assert len(held) == len(SAVED)
    for one in SAVED:
        assert {(to["type"], to["id"]) for to in one["references"]} <= held
        names = [to["name"] for to in one["references"]]
        assert len(set(names)) == len(names)


def test_panels_refer_to_their_dashboards_references() -> None:
    for board in BOARDS:
        outer = {(to["name"], to["type"], to["id"]) for to in board["references"]}
        used = {("tag-ref-tindon", "tag", "tindon")}
        for panel in json.loads(board["attributes"]["panelsJSON"]):
            at = panel["panelIndex"]
            if "panelRefName" in panel:
                saved = panel["embeddableConfig"]["savedObjectId"]
                used.add((f"{at}:{panel['panelRefName']}", "search", saved))
            for own in panel["embeddableConfig"].get("attributes", {}).get("references", []):
                used.add((f"{at}:{own['name']}", own["type"], own["id"]))
            for event in inside(panel, "events"):
                for one in event:
                    name = (
                        f"{at}:drilldown:{one['action']['factoryId']}:{one['eventId']}:dashboardId"
                    )
                    used |= {to for to in outer if to[0] == name and to[1] == "dashboard"}
        controls = json.loads(
            board["attributes"].get("controlGroupInput", {}).get("panelsJSON", "{}")
        )
        for name, control in controls.items():
            view = control["explicitInput"]["dataViewId"]
            used.add((f"controlGroup_{name}:optionsListDataView", "index-pattern", view))
        assert used == outer, board["id"]


def test_versions_of_the_forms_are_told_and_names_are_in_both_languages() -> None:
    for one in SAVED:
        assert one["coreMigrationVersion"] == "8.8.0"
        assert re.fullmatch(r"\d+\.\d+\.\d+", one["typeMigrationVersion"])
        assert set(one) == {
            "attributes", "coreMigrationVersion", "created_at", "id", "managed", "references",
            "type", "typeMigrationVersion", "updated_at",
        }  # fmt: skip
        title = one["attributes"].get("name") or one["attributes"]["title"]
        assert " · " in title or one["type"] == "tag"
    assert all(" · " in asked.title for asked in ASKED)


def test_panels_have_ids_of_their_own_and_do_not_overlap() -> None:
    for board in BOARDS:
        every = json.loads(board["attributes"]["panelsJSON"])
        assert len({panel["panelIndex"] for panel in every}) == len(every)
        taken: set[tuple[int, int]] = set()
        for panel in every:
            at = panel["gridData"]
            cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
            assert not cells & taken and at["x"] + at["w"] <= 48, panel["panelIndex"]
            taken |= cells


def test_a_panel_of_its_own_span_and_a_width_that_fits() -> None:
    by_name = {(asked.dashboard, asked.panel): asked for asked in ASKED}
    end = datetime(2026, 3, 1, tzinfo=UTC)
    own = by_name["tindon-pipeline", "sources"].within(datetime(2000, 1, 1, tzinfo=UTC), end)
    [span] = [one["range"] for one in own["query"]["bool"]["filter"] if "range" in one]
    assert span["@timestamp"]["gte"] == "2026-02-28T00:00:00+00:00"
    flow = by_name["tindon-pipeline", "flow"]
    for days, width in ((0.25, "5m"), (1, "30m"), (7, "3h"), (90, "1d"), (2_000, "30d")):
        histogram = flow.within(end - timedelta(days=days), end)["aggs"]["time"]["date_histogram"]
        assert histogram["fixed_interval"] == width


def test_more_kql_than_is_understood_is_refused() -> None:
    assert kql('not a.b: * and c: "x y"') == [
        {"bool": {"must_not": {"exists": {"field": "a.b"}}}},
        {"match": {"c": "x y"}},
    ]
    for text in ("a: 1 or b: 2", "a > 3", "a: (1 or 2)"):
        with pytest.raises(ValueError, match="more KQL"):
            kql(text)


# --- the rules


def test_rules_and_connectors_have_the_form_of_the_reference() -> None:
    wanted = rules("tindon-")
    kinds = {one["id"]: one["connector_type_id"] for one in wanted["connectors"]}
    assert set(kinds.values()) == {".server-log", ".index"}, "of the Basic licence"
    for one in wanted["connectors"]:
        validate(one, rule_form.connector(one["connector_type_id"]))
    for one in wanted["rules"]:
        validate(one, rule_form.rule(one["rule_type_id"], kinds))
        assert {kinds[action["id"]] for action in one["actions"]} == {".server-log", ".index"}
        assert one["rule_type_id"] != ".es-query" or json.loads(one["params"]["esQuery"])["query"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("id",), "5f1d1c0a-6f4e-5a63-9d0a-3b2f8a7d1e11"),  # a UUID of version 5
        (("schedule", "interval"), "1 minute"),
        (("params", "threshold"), 0),
        (("params", "timeWindowUnit"), "w"),
        (("params", "size"), 20_000),
        (("actions", 0, "group"), "threshold met"),
        (("actions", 0, "frequency", "throttle"), "5m"),
        (("actions", 0, "params", "level"), "loud"),
        (("throttle",), "1m"),
    ],
)
def test_the_form_refuses_what_the_reference_does(path: tuple[Any, ...], value: Any) -> None:
    wanted = rules("tindon-")
    kinds = {one["id"]: one["connector_type_id"] for one in wanted["connectors"]}
    changed = wanted["rules"][0]
    at: Any = changed
    for part in path[:-1]:
        at = at[part]
    at[path[-1]] = value
    with pytest.raises(ValidationError):
        validate(changed, rule_form.rule(".es-query", kinds))


# --- on a real Elasticsearch, filled from a replay


@pytest.fixture(scope="module")
def filled(elasticsearch_url: str) -> Iterator[ElasticsearchStore]:
    store = ElasticsearchStore(elasticsearch_url, prefix=f"test-kibana-{os.getpid()}-")
    store.ensure_templates()
    store.write(documents(POSTS))
    store.refresh()
    yield store
    drop(store)
    store.close()


def whole(store: ElasticsearchStore) -> tuple[datetime, datetime]:
    """A span that holds everything, up to the stream's own time."""
    end = datetime.fromtimestamp((store.newest() or 0) / 1000, UTC) + timedelta(hours=1)
    return end - timedelta(days=60), end


def answer(store: ElasticsearchStore, asked: Asked, body: dict[str, Any]) -> Any:
    kind = asked.index.removeprefix("tindon-")
    return store.connection.request("POST", f"/{store.prefix}{kind}/_search", body=body)[1]


@pytest.mark.elasticsearch
def test_every_panel_has_rows_and_every_field_is_mapped(filled: ElasticsearchStore) -> None:
    empty = []
    for asked in ASKED:
        body = asked.within(*whole(filled))
        if not rows(asked, answer(filled, asked, body)):
            empty.append((asked.dashboard, asked.panel))
        _, known = filled.connection.request(
            "POST",
            f"/{filled.prefix}{asked.index.removeprefix('tindon-')}/_field_caps",
            body={"fields": sorted(asked.fields)},
        )
        assert asked.fields <= set(known["fields"]), asked.panel
    assert empty == []


@pytest.mark.elasticsearch
def test_a_span_without_documents_gives_no_rows(filled: ElasticsearchStore) -> None:
    """Else the test above could not fail."""
    for asked in ASKED:
        body = asked.within(datetime(1990, 1, 1, tzinfo=UTC), datetime(1990, 2, 1, tzinfo=UTC))
        assert asked.timeless or rows(asked, answer(filled, asked, body)) == []


@pytest.mark.elasticsearch
def test_figures_are_those_of_the_store(filled: ElasticsearchStore) -> None:
    by_name = {(asked.dashboard, asked.panel): asked for asked in ASKED}
    told = {}
    for name in ("new-confirm", "new-suggest"):
        asked = by_name["tindon-alerts-now", name]
        found = rows(asked, answer(filled, asked, asked.body))
        told[name.removeprefix("new-")] = found[0]["count"] if found else 0
    alerts = filled.alerts(status="new", limit=1_000)
    assert told == {
        level: sum(one.level == level for one in alerts) for level in ("confirm", "suggest")
    }
    asked = by_name["tindon-pipeline", "folded"]
    [row] = rows(asked, answer(filled, asked, asked.within(*whole(filled))))
    assert row["posts"] == sum(one.posts for one in filled.trends(0, 2**53))
    asked = by_name["tindon-rumor", "says"]
    top = rows(asked, answer(filled, asked, asked.within(*whole(filled))))[0]
    rumor = filled.rumor(top["rumor"])
    assert rumor is not None
    assert (top["says"], top["posts"]) == (rumor.headline, rumor.posts)


@pytest.mark.elasticsearch
def test_queries_of_the_rules_are_queries(filled: ElasticsearchStore) -> None:
    for rule in rules(filled.prefix)["rules"]:
        given = rule["params"]
        body = json.loads(given["esQuery"]) if "esQuery" in given else {"query": {"match_all": {}}}
        if "termField" in given:
            body["aggs"] = {"by": {"terms": {"field": given["termField"]}}}
        [index] = given["index"]
        filled.connection.request("POST", f"/{index}/_search", body=body)


# --- how they get into Kibana: the client against a peer that speaks Kibana's published API


class Peer:
    """Answers on loopback as Kibana's API documentation says, and keeps what it was sent."""

    def __init__(self) -> None:
        self.version = "8.19.3"
        self.refuse: dict[str, tuple[int, Any]] = {}  # path beginning -> status, body
        self.imported: list[dict[str, Any]] = []
        self.held: dict[str, dict[str, Any]] = {}
        self.headers: list[Any] = []

    def answer(self, method: str, path: str, headers: Any, body: bytes) -> tuple[int, Any]:
        self.headers.append(headers)
        for start, refusal in self.refuse.items():
            if path.startswith(start):
                return refusal
        if method != "GET" and "kbn-xsrf" not in headers:
            return 400, {"statusCode": 400, "message": "Request must contain a kbn-xsrf header."}
        if (method, path) == ("GET", "/api/status"):
            return 200, {"name": "kibana", "version": {"number": self.version}}
        if (method, path) == ("POST", "/api/saved_objects/_import?overwrite=true"):
            return self._import(headers, body)
        if re.fullmatch(r"/api/(actions/connector|alerting/rule)/[\w-]+", path):
            return self._one(method, path, json.loads(body) if body else {})
        return 404, {"statusCode": 404, "error": "Not Found", "message": "Not Found"}

    def _import(self, headers: Any, body: bytes) -> tuple[int, Any]:
        head = f"Content-Type: {headers['content-type']}\r\n\r\n".encode()
        form = BytesParser().parsebytes(head + body)
        [part] = form.get_payload()  # type: ignore[misc]
        assert part.get_param("name", header="content-disposition") == "file"  # type: ignore[union-attr]
        assert part.get_filename().endswith(".ndjson")  # type: ignore[union-attr]
        lines = part.get_payload(decode=True).decode().splitlines()  # type: ignore[union-attr]
        self.imported = [json.loads(line) for line in lines]
        held = {(one["type"], one["id"]) for one in self.imported}
        faults = [
            {
                "id": one["id"],
                "type": one["type"],
                "error": {
                    "type": "missing_references",
                    "references": [{"type": to["type"], "id": to["id"]}],
                },
            }
            for one in self.imported
            for to in one["references"]
            if (to["type"], to["id"]) not in held
        ]
        good = len(self.imported) - len(faults)
        return 200, {"success": not faults, "successCount": good, "errors": faults}

    def _one(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        if method == "GET":
            return (200, self.held[path]) if path in self.held else (404, {"message": "not found"})
        fixed = {"rule_type_id", "consumer"} if "rule" in path else {"connector_type_id"}
        if method == "POST" and (path in self.held or not fixed <= set(body)):
            return 409, {"statusCode": 409, "message": "conflict"}
        if method == "PUT" and (path not in self.held or fixed & set(body)):
            return 400, {"statusCode": 400, "message": "[request body]: definition not allowed"}
        self.held[path] = {**self.held.get(path, {}), **body}
        return 200, self.held[path]


@contextmanager
def served(peer: Peer) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            status, told = peer.answer(self.command, self.path, self.headers, body)
            raw = told if isinstance(told, bytes) else json.dumps(told).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = do_PUT = _do

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=lambda: server.serve_forever(0.01), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def peer() -> Peer:
    return Peer()


@pytest.fixture
def url(peer: Peer) -> Iterator[str]:
    with served(peer) as url:
        yield url


def test_apply_imports_everything_and_a_second_time_updates_it(
    peer: Peer, url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINDON_STORE__PREFIX", "news-")
    monkeypatch.setenv("TINDON_ELASTICSEARCH__API_KEY", "a2V5")
    command = ["apply", "--only", "kibana", "--kibana", url, "--console", "https://desk.example"]
    assert main([*command, "--dry-run"]) == 0
    assert peer.imported == [] and peer.held == {}
    assert "nothing was changed" in capsys.readouterr().out
    for done in ("created", "updated"):
        assert main(command) == 0
        assert capsys.readouterr().out.count(f"{done} ") == 6  # four rules and their two connectors
    assert [one["id"] for one in peer.imported] == [one["id"] for one in SAVED]
    views = {
        one["id"]: one["attributes"] for one in peer.imported if one["type"] == "index-pattern"
    }
    assert views["tindon-alerts"]["title"] == "news-alerts"
    formats = json.loads(views["tindon-alerts"]["fieldFormatMap"])
    assert formats["event.id"]["params"]["urlTemplate"] == "https://desk.example/alerts/{{value}}"
    assert {
        index for one in peer.held.values() for index in one.get("params", {}).get("index", [])
    } == {
        "news-alerts",
        "news-trends",
    }
    assert all(one["authorization"] == "ApiKey a2V5" for one in peer.headers)
    assert [one["config"] for one in rules("x-")["connectors"]][1]["index"] == "x-notices"
    ids = {one["id"] for one in rules("x-")["connectors"]}
    assert {one["id"] for rule in rules("x-")["rules"] for one in rule["actions"]} == ids


def test_a_missing_reference_is_told(url: str) -> None:
    lines = objects("http://c", "t-").splitlines(keepends=True)
    without = b"".join(line for line in lines if json.loads(line)["id"] != "tindon-queue")
    with pytest.raises(
        KibanaError, match=r"refused 1 objects.*tindon-alerts-now.*search tindon-queue"
    ):
        Kibana(url).import_objects(without)


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        ((401, {"message": "security_exception"}), r"elasticsearch\.password"),
        ((403, {"message": "Unable to bulk_create"}), "rights over saved objects"),
        ((503, {"message": "Kibana server is not ready yet"}), "wait for it"),
        ((503, b"Kibana server is not ready yet"), "wait for it"),
        ((400, {"message": "xpack.encryptedSavedObjects.encryptionKey missing"}), "kibana.yml"),
        ((404, {"message": "Not Found"}), "base path and space"),
        ((200, b"<html>hello</html>"), "no JSON answer"),
        ((200, {"hello": "world"}), "is not Kibana"),
        ((200, {"version": {"number": "8.12.0"}}), "8.12.0.*8.19 or later"),
    ],
)
def test_what_kibana_refuses_is_one_line_with_the_mend(
    peer: Peer, url: str, refusal: tuple[int, Any], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    peer.refuse["/api/status"] = refusal
    assert main(["apply", "--only", "kibana", "--kibana", url]) == 1
    said = capsys.readouterr().err
    assert re.search(words, said) and said.count("\n") == 1


def test_no_kibana_and_no_address_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["apply", "--only", "kibana", "--kibana", "http://127.0.0.1:9"]) == 1
    assert "cannot be reached" in capsys.readouterr().err
    assert main(["apply", "--only", "kibana"]) == 2
    assert main(["apply", "--only", "topics", "--console", "http://x"]) == 2
