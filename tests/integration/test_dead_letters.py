"""Dead letters on a real broker: told with masked content, sent again once, counted, never doubled."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kafka import KafkaProducer

from agents.kafka.letters import Redriven, Wanted, read_letters, redrive
from agents.offline import write_offline
from agents.recorded import write_recorded
from cli.main import main
from deploy.local import Kafka
from tests.kafka_road import KafkaRoad, road, same_files

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

NEWS = "the bridge at Lam Khe is closed until Monday, call 0912 345 678"


@pytest.fixture
def kafka_road(
    kafka: Kafka, fresh_name: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[KafkaRoad]:
    """A road with four records: one good, one without a time, one damaged, one too large for the door."""
    with road(
        kafka.bootstrap, fresh_name(), tmp_path,
        TINDON_EMBED__ENCODER="none", TINDON_INTAKE__MAX_RECORD_BYTES="2000",
    ) as made:  # fmt: skip
        for name, value in made.variables.items():
            monkeypatch.setenv(name, value)
        producer = KafkaProducer(bootstrap_servers=kafka.bootstrap, acks="all")
        good = {"id": "1", "created_at": 1_700_000_000, "text": NEWS, "author": "Nguyen Van A"}
        large = good | {"id": "3", "text": f"{NEWS} {'and so on ' * 300}"}
        for value in (
            json.dumps(good), json.dumps(good | {"id": "2", "created_at": None}), '{"id": "cut',
            json.dumps(large),
        ):  # fmt: skip
            producer.send(made.topics.posts.name, value.encode(), partition=0).get(30)
        producer.close()
        made.start_worker()
        made.finish()
        yield made


def test_letters_are_listed_and_sent_again_once(
    kafka_road: KafkaRoad, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    settings = kafka_road.settings
    assert main(["dead", "list"]) == 0
    told = capsys.readouterr().out
    assert "3 dead letters: no_time 1, not_json 1, too_large 1" in told
    assert "0/1  no_time" in told
    assert "Nguyen" not in told and "0912" not in told, "letters are told masked"
    assert main(["dead", "list", "--reason", "no_time", "--since", "1h"]) == 0
    assert "1 dead letters: no_time 1" in capsys.readouterr().out
    assert main(["dead", "list", "--since", "2100-01-01T00:00:00Z"]) == 0
    assert "0 dead letters" in capsys.readouterr().out
    assert main(["dead", "redrive", "--reason", "nonsense"]) == 2

    # The cause is mended: larger posts are let in from here on.
    [worker] = kafka_road.workers
    worker.terminate()
    worker.wait(30)
    kafka_road.variables["TINDON_INTAKE__MAX_RECORD_BYTES"] = "1000000"
    kafka_road.start_worker()

    before = kafka_road.ends(kafka_road.topics.posts)
    assert main(["dead", "redrive", "--dry-run"]) == 0
    assert "3 would be sent, 0 sent before" in capsys.readouterr().out
    assert kafka_road.ends(kafka_road.topics.posts) == before
    assert redrive(settings, Wanted(["too_large", "not_json"])) == Redriven(2, 0, 0, 0)
    assert redrive(settings, Wanted(["too_large"])) == Redriven(0, 1, 0, 0)
    kafka_road.finish()

    # A second sending, as after a crash between record and receipt, ends as a duplicate.
    producer = KafkaProducer(bootstrap_servers=settings.kafka.bootstrap, acks="all")
    again = {"id": "1", "created_at": 1_700_000_000, "text": NEWS}
    producer.send(kafka_road.topics.posts.name, json.dumps(again).encode(), partition=0).get(30)
    tick = [("tick", b"1700000060000")]
    producer.send(kafka_road.topics.posts.name, b"", partition=0, headers=tick).get(30)
    producer.close()
    kafka_road.finish()

    summary, _ = write_recorded(settings, tmp_path / "recorded")
    outcomes = {name: summary[name] for name in ("folded", "duplicates", "late", "dead")}
    assert outcomes == {"folded": 2, "duplicates": 1, "late": 0, "dead": 4}
    assert summary["posts_in"] == 7, "four records, two sent again, one sent twice"
    assert summary["dead_by_reason"] == {"no_time": 1, "not_json": 2, "too_large": 1}
    write_offline(settings, tmp_path / "offline")
    same_files(tmp_path / "recorded", tmp_path / "offline")
    assert [letter.sent_again for letter in read_letters(settings, Wanted())] == [
        False, True, True, False,
    ]  # fmt: skip
