"""What an analyst decides travels through a real broker and stands in the store."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from agents.offline import write_offline
from agents.recorded import write_recorded
from deploy.local import Kafka
from evaluation.desk_labels import desk_labels
from stores import Store, open_store
from streams.documents import AlertDocument
from streams.sources.scenario import generate
from tests.kafka_road import road, same_files, scenario_file

pytestmark = [pytest.mark.kafka, pytest.mark.elasticsearch, pytest.mark.timeout(300)]

POSTS = 900


def crossing(store: Store, alert: AlertDocument) -> tuple[str, str, str] | None:
    """Alert, a post and its micro-cluster, where posts of that would stay."""
    held: dict[str, list[str]] = {}
    for post in store.posts(alert.rumor_id, limit=200):
        held.setdefault(post.micro_cluster_id, []).append(post.post_id)
    micro, posts = max(held.items(), key=lambda item: len(item[1]))
    return (alert.alert_id, posts[-1], micro) if len(posts) > 3 else None


def assert_bound(store: Store, crossed: tuple[str, str, str]) -> None:
    """The store shows what the merge and the split left, with who did it."""
    store.refresh()
    merge, split = store.action("merge"), store.action("split")
    assert merge is not None and merge.alert_id is not None
    heir = store.alert(merge.alert_id)
    [name] = {merge.subject, merge.given["other"]} - {merge.alert_id}
    loser = store.alert(name)
    assert heir is not None and loser is not None
    assert loser.merged_into == heir.alert_id
    for one in (heir, loser):
        assert ("merge", "Lan") in [(step.deed, step.who) for step in one.triage.history]
    assert split is not None and split.rumor_id is not None
    left, part = store.rumor(split.rumor_id), store.rumor(split.given["part"])
    assert left is not None and part is not None
    assert [s.by for s in left.splits] == [s.by for s in part.splits] == ["Lan"]
    [moved] = [p for p in store.posts(part.rumor_id, limit=200) if p.post_id == crossed[1]]
    assert moved.micro_cluster_id not in ("", crossed[2])
    assert crossed[1] not in {p.post_id for p in store.posts(left.rumor_id, limit=200)}


def test_triage_on_kafka(
    kafka: Kafka, elasticsearch_url: str, fresh_name: Callable[[], str], tmp_path: Path
) -> None:
    """Deeds walk an alert on, an illegal one is refused, one sent twice counts once; the audit has them
    all, and the fold of the recorded logs gives the same bytes."""
    name = fresh_name()
    file = scenario_file(tmp_path / "day.jsonl", POSTS)
    rest = tmp_path / "rest.jsonl"
    rest.write_text("".join(json.dumps(one) + "\n" for one in generate()[POSTS : POSTS + 300]))
    variables = {
        "TINDON_EMBED__ENCODER": "none",
        "TINDON_CLUSTER__MICRO_THRESHOLD": "0.2",  # so that a split crosses a micro-cluster
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

        kept, joined = (one.alert_id for one in store.alerts(limit=3)[1:])
        assert "taken" in triage(kept, "merge", joined, "--id", "merge", "--why", "one hoax")
        store.refresh()
        assert "one already" in triage(joined, "merge", kept)
        crossed = next(filter(None, (crossing(store, one) for one in store.alerts(limit=50))))
        assert "taken" in triage(crossed[0], "split", "--post", crossed[1], "--id", "split")
        store.refresh()
        quiet = next(r for r in store.rumors(open_only=True, limit=200) if r.alert_id is None)
        assert "taken" in triage(quiet.rumor_id, "raise", "--id", "raise", "--why", "it was asked")
        store.refresh()
        [raised] = store.alerts(rumor_id=quiet.rumor_id)
        assert [s.deed for s in raised.triage.history] == ["raise"]
        assert [a.action_id for a in store.audit(alert_id=raised.alert_id)] == ["raise"]
        kafka_road.ingest(str(rest))  # the folds go on with what was decided
        kafka_road.finish()
        assert_bound(store, crossed)
        labels = desk_labels(store)
        assert labels.actions == {"verdict": 1, "merge": 1, "split": 1, "raise": 1}
        assert labels.stories >= 3

        write_recorded(kafka_road.settings, tmp_path / "recorded")
        write_offline(kafka_road.settings, tmp_path / "offline")
    store.close()
    same_files(tmp_path / "recorded", tmp_path / "offline")
