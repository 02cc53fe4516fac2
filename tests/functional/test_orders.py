"""Splits and cluster thresholds on a running embedded road: the log gives the same bytes again.

Posts are invented.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import agents.embedded
import agents.replay
import config
from agents.applying import change_of
from agents.checkpoint import HEAD
from agents.deciding import decide
from agents.embedded import EmbeddedRoad
from agents.inbox import leave
from agents.orders import ORDERS
from agents.replay import ReplayOptions, replay
from agents.stages import Stages
from agents.told import Progress
from config.changing import changed
from stores.sqlite import SqliteStore
from streams.codec import pack_state
from streams.documents import newest
from streams.inputs import Action, Decision
from streams.sources.scenario import generate
from streams.sqlite_database import Database
from streams.sqlite_log import SqliteLog

POSTS = 1500


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TINDON_EMBED__ENCODER", "none")
    monkeypatch.setenv("TINDON_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("TINDON_CLUSTER__MICRO_THRESHOLD", "0.2")  # so that splits must cross
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(agents.replay, "CHUNK", 60)
    monkeypatch.setattr(agents.embedded, "WRITTEN_S", 0.0)  # the store follows at once
    Path("day.jsonl").write_text("".join(json.dumps(p) + "\n" for p in generate()[:POSTS]))


def split_of(store: SqliteStore) -> Iterator[Action]:
    """Splits that cross a micro-cluster, of the rumors that stand."""
    for alert in store.alerts():
        held: dict[str, list[str]] = {}
        for post in store.posts(alert.rumor_id, limit=200):
            held.setdefault(post.micro_cluster_id, []).append(post.post_id)
        largest = max(held.values(), key=len)
        if len(largest) > 2:
            yield Action(
                id=f"split {alert.alert_id}", deed="split", alert=alert.alert_id, who="Mai",
                at=alert.raised_at, posts=largest[-1:],
            )  # fmt: skip


def states(folder: Path, *, from_scratch: bool) -> tuple[bytes, bytes, dict[str, int]]:
    """Of both folds, and the version of each decision; from scratch: out of the logs alone."""
    agents.embedded.WRITTEN_S = 1e9  # batches are kept, to be looked at
    built = Stages(config.load().settings)
    with Database(folder / "tindon.sqlite") as database:
        if from_scratch:
            with database.transaction() as connection:
                connection.execute("DELETE FROM blobs WHERE key = ?", (HEAD,))
        road, front = EmbeddedRoad(database, built.alert), built.front
        road.catch_up(lambda: front, 37)
        if road.cluster is not None and not from_scratch:
            front.restore(road.cluster, road.next)
        built.alert.flush()  # as at the end of a stream
        audits = newest(road._batches).audits if from_scratch else road.store.audit()
        return (
            pack_state(built.cluster.snapshot()),
            pack_state(built.alert.snapshot()),
            {one.action_id: one.version for one in audits},
        )


@pytest.mark.parametrize("processes", [1, 2])
def test_orders_in_the_middle_of_a_replay(processes: int) -> None:
    settings = config.load().settings
    coarser = changed(settings, {"cluster.micro_threshold": 0.5}, "a test")
    out, given = Path("out"), list[Decision]()

    def act(progress: Progress, total: int | None) -> None:
        if not given and progress.suggest >= 3:
            with closing(SqliteStore(out / "tindon.sqlite")) as store:
                found = list(split_of(store))[:2]
            if len(found) == 2:
                given.extend(found)
                given.append(change_of(coarser, who="Lan", at=0))
                with Database(out / "tindon.sqlite") as database:
                    leave(database, given)

    replay(
        ["day.jsonl"], out, settings,
        ReplayOptions(on_progress=act, processes=processes),
    )  # fmt: skip
    assert len(given) == 3
    lines = [json.loads(line) for line in (out / "assignments.jsonl").read_text().splitlines()]
    with closing(SqliteStore(out / "tindon.sqlite")) as store:
        told = [store.action(one.id) for one in given]
        assert all(one is not None and one.taken for one in told)
        parts = {one.given["part"] for one in told[:2] if one is not None}
        for part in parts:
            stored = {p.post_id for p in store.posts(part, limit=200)}
            assert {x["post_id"] for x in lines if x["rumor_id"] == part} >= stored > set()
    with Database(out / "tindon.sqlite") as database:
        log = SqliteLog(database)
        assert log.end(ORDERS) == 3
    stands = states(out, from_scratch=False)
    assert len(stands[2]) == 3
    assert states(out, from_scratch=True) == stands


def test_a_split_after_the_end_is_folded_by_the_command(tmp_path: Path) -> None:
    settings, out = config.load().settings, Path("out")
    replay(["day.jsonl"], out, settings, ReplayOptions(processes=1))
    with closing(SqliteStore(out / "tindon.sqlite")) as store:
        one, two = list(split_of(store))[:2]
    for action in (one, two, one):
        assert decide(out, settings, [action])
    with Database(out / "tindon.sqlite") as database:
        assert SqliteLog(database).end(ORDERS) == 2
    with closing(SqliteStore(out / "tindon.sqlite")) as store:
        for action in (one, two):
            told = store.action(action.id)
            assert told is not None and told.taken
            [post] = [p for p in store.posts(told.given["part"]) if p.post_id == action.posts[0]]
            assert post.rumor_id == told.given["part"]
    stands = states(out, from_scratch=False)
    assert states(out, from_scratch=True) == stands
