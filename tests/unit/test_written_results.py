"""What a replay tells is written as it comes: neither results nor lines of rumors wait in memory."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from agents import checkpoint, embedded
from agents.embedded import WRITTEN_S, EmbeddedRoad
from agents.front import Portion
from agents.replay_files import LINES, Totals, write_files
from agents.told import Progress, Results
from streams.codec import pack_state
from streams.records import Dead
from streams.sqlite_database import Database
from tests.contracts.store_documents import BASE, rumor
from tests.fold_scene import alert_fold, cluster_fold

RUMORS = 6 * LINES  # many more than are written at a time
HEADLINE = "đập Sông Mơ sắp vỡ " * 100  # 2 kB a line


def dead(number: int) -> Dead:
    return Dead(source="s", id=None, reason="not_json", detail="", input=f"x:{number}", raw="{")


def portion(number: int, cluster: bytes | None = None) -> Portion:
    return Portion(1, [b"a record"], [dead(number)], [], cluster)


def told(road: EmbeddedRoad) -> list[Dead]:
    return [one for results in road.results() for one in results.dead]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr(embedded, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def test_results_do_not_wait_for_a_checkpoint(tmp_path: Path, clock: list[float]) -> None:
    with Database(tmp_path / "road.sqlite") as database:
        road = EmbeddedRoad(database, alert_fold())
        for number in range(5):
            clock[0] += 0.6 * WRITTEN_S
            road.take(portion(number))
            # Every second portion comes late enough to be written, with the one before it.
            assert told(road) == [dead(n) for n in range((number + 1) // 2 * 2)]
            assert road.next == number + 1
        assert checkpoint.stands(road.store) is None
        # Without a checkpoint a restart folds all of the log again: what was told of it goes.
        assert told(EmbeddedRoad(database, alert_fold())) == []


def test_results_beyond_the_checkpoint_go_and_those_before_it_stay(
    tmp_path: Path, clock: list[float]
) -> None:
    snapshot = pack_state(cluster_fold().snapshot())
    with Database(tmp_path / "road.sqlite") as database:
        road = EmbeddedRoad(database, alert_fold())
        road.take(portion(0, bytes(snapshot)))
        clock[0] += 2 * WRITTEN_S
        road.take(portion(1))
        assert told(road) == [dead(0), dead(1)]
        again = EmbeddedRoad(database, alert_fold())
        assert (again.next, told(again)) == (1, [dead(0)])


class ManyRumors:
    """A road on which a rumor closed with each stretch, the last one first."""

    inputs: Iterable[str] = ()

    def results(self) -> Iterator[Results]:
        for number in reversed(range(RUMORS)):
            closed = rumor(f"r{number:04d}", headline=HEADLINE, first_post_at=BASE + number // 2)
            yield Results([], [], [], [closed], [], [])


def test_lines_of_rumors_wait_on_disk(tmp_path: Path) -> None:
    totals = Totals(Progress(), [rumor("open", first_post_at=BASE)], 1.0, 1, "none", "none")
    tracemalloc.start()
    try:
        write_files(ManyRumors(), tmp_path, totals)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    lines = (tmp_path / "rumors.jsonl").read_bytes().splitlines()
    names = [json.loads(line)["rumor_id"] for line in lines]
    assert names == ["open", *(f"r{number:04d}" for number in range(RUMORS))]
    assert peak < sum(map(len, lines)) / 2
