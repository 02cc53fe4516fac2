"""After `tindon apply`, a worker, `tindon ingest` and some triage, every panel of Kibana has rows."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bench.desk_day import earlier
from deploy.kibana import OBJECTS
from deploy.kibana.queries import panels, rows
from deploy.local import Kafka
from stores.elasticsearch import ElasticsearchStore
from streams.sources.scenario import generate
from tests.integration.test_elasticsearch_store import drop
from tests.kafka_road import road

pytestmark = [pytest.mark.kafka, pytest.mark.elasticsearch, pytest.mark.timeout(600)]

POSTS = 1_500  # of the invented day
OLD = 600  # of these, told twenty days before as well


def test_every_panel_has_rows_after_apply_ingest_and_triage(
    kafka: Kafka, elasticsearch_url: str, fresh_name: Callable[[], str], tmp_path: Path
) -> None:
    name = fresh_name()
    day = generate()[:POSTS]
    for file, posts in (("old", [earlier(post) for post in day[:OLD]]), ("day", day)):
        lines = [json.dumps(post, ensure_ascii=False) for post in posts]
        (tmp_path / f"{file}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    variables = {
        "TINDON_STORE__KIND": "elasticsearch",
        "TINDON_ELASTICSEARCH__URL": elasticsearch_url,
        "TINDON_WORKER__RECORD": "false",
    }
    store = ElasticsearchStore(elasticsearch_url, prefix=f"{name}-")
    with road(kafka.bootstrap, name, tmp_path, **variables) as kafka_road:

        def tindon(*arguments: str) -> str:
            done = subprocess.run(
                kafka_road.command(*arguments), cwd=tmp_path, env=kafka_road.environment,
                capture_output=True, text=True, check=False, timeout=120,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            return done.stdout

        tindon("apply")
        kafka_road.start_worker()
        kafka_road.ingest("old.jsonl")
        kafka_road.finish()
        store.refresh()
        alerts = store.alerts(level="confirm")
        assert alerts
        for alert in alerts:
            answer = [
                "verdict",
                "fake",
                "--correction",
                "This is not so.",
                "--link",
                "https://example.org/check",
            ]
            for deed in (["acknowledge"], answer):
                tindon("triage", alert.alert_id, *deed, "--who", "Lan", "--wait", "60")
        kafka_road.ingest("day.jsonl")
        kafka_road.finish()
        for raised in store.alerts(level="confirm", status="new")[:1]:
            tindon("triage", raised.alert_id, "acknowledge", "--who", "Lan", "--wait", "60")
        kafka_road.finish()
    store.refresh()
    stream = datetime.fromtimestamp((store.newest() or 0) / 1000, UTC) + timedelta(hours=1)
    now = max(stream, datetime.now(UTC))  # what people do has the clock's time
    # An alert of the level `suggest` is not sure to stay one: its panel may be empty.
    empty = []
    for asked in panels([json.loads(line) for line in OBJECTS.read_text("utf-8").splitlines()]):
        index = f"{store.prefix}{asked.index.removeprefix('tindon-')}"
        end = stream if asked.back else now
        body = asked.within(stream - timedelta(days=60), end)
        _, told = store.connection.request("POST", f"/{index}/_search", body=body)
        if not rows(asked, told):
            empty.append(asked.panel)
    assert set(empty) <= {"new-suggest"}
    drop(store)
    store.close()
