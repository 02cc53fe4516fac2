"""What an analyst decides travels through a real broker and stands in the store."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from agents.offline import write_offline
from agents.recorded import write_recorded
from deploy.local import Kafka
from stores import open_store
from tests.kafka_road import road, same_files, scenario_file

pytestmark = [pytest.mark.kafka, pytest.mark.elasticsearch, pytest.mark.timeout(300)]

POSTS = 900


def test_triage_on_kafka(
    kafka: Kafka, elasticsearch_url: str, fresh_name: Callable[[], str], tmp_path: Path
) -> None:
    """Deeds walk an alert on, an illegal one is refused, one sent twice counts once; the audit has them
    all, and the fold of the recorded logs gives the same bytes."""
    name = fresh_name()
    file = scenario_file(tmp_path / "day.jsonl", POSTS)
    variables = {
        "TINDON_EMBED__ENCODER": "none",
        "TINDON_STORE__KIND": "elasticsearch",
        "TINDON_ELASTICSEARCH__URL": elasticsearch_url,
    }
    store = open_store("elasticsearch", url=elasticsearch_url, prefix=f"{name}-")
    with road(kafka.bootstrap, name, tmp_path, **variables) as kafka_road:

        def triage(alert: str, *arguments: str) -> str:
            done = subprocess.run(
                kafka_road.command("triage", alert, *arguments, "--who", "Lan", "--wait", "60"),
                cwd=tmp_path, env=kafka_road.environment,
                capture_output=True, text=True, check=False, timeout=120,
            )  # fmt: skip
            assert done.returncode in (0, 1), done.stderr
            return done.stdout + done.stderr

        kafka_road.start_worker()
        kafka_road.ingest(str(file))
        kafka_road.finish()
        store.refresh()
        alert = store.alerts(limit=1)[0].alert_id

        triage(alert, "acknowledge", "--id", "first")
        triage(alert, "acknowledge", "--id", "first")  # sent again: it counts once
        assert "acknowledge" in triage(alert, "acknowledge", "--id", "late")  # refused: it is done
        triage(alert, "verdict", "fake", "--link", "https://example.org/answer", "--id", "second")
        kafka_road.finish()

        store.refresh()
        found = store.alert(alert)
        assert found is not None
        assert (found.status, found.triage.verdict) == ("answered", "fake")
        assert [step.deed for step in found.triage.history] == ["acknowledge", "verdict"]
        told = {entry.action_id: entry for entry in store.audit(alert_id=alert)}
        assert set(told) == {"first", "late", "second"}
        assert [told[n].taken for n in ("first", "late", "second")] == [True, False, True]

        write_recorded(kafka_road.settings, tmp_path / "recorded")
        write_offline(kafka_road.settings, tmp_path / "offline")
    store.close()
    same_files(tmp_path / "recorded", tmp_path / "offline")
