"""Analysts' actions among the changes: their place in the log decides, and nothing else does."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from agents import inbox
from agents.embedded import EmbeddedRoad
from agents.front import Entry, Front
from alerts import AlertFold
from streams.codec import pack_state, unpack_state
from streams.inputs import Action, Decision, RumorInput
from streams.sqlite_database import Database
from streams.sqlite_log import SqliteLog
from streams.validation import InputRecord, Tick
from tests.fold_scene import DAY, DOOR, Road, alert_fold, cluster_fold, drawn_log, frame, level

RULES = {"suggest": level(0.1, 3, 2), "confirm": level(0.4, 5, 4), "index_posts": 3}
WINDOW = 2 * DAY
CLUSTER: dict[str, Any] = {"window_ms": WINDOW, "micro_threshold": 0.6}


def fold() -> AlertFold:
    return alert_fold(**RULES)


def log_of(seed: int, posts: int = 260) -> list[RumorInput]:
    """Changes, and after each raised alert some deeds on it; some are refused, some come twice."""
    cluster = cluster_fold(**CLUSTER)
    scout, log = fold(), list[RumorInput]()
    for change in cluster.fold(frame(drawn_log(seed, posts, window_ms=WINDOW))):
        log.append(change)
        for raised in scout.take(change).raised:
            for number, deed in enumerate(("acknowledge", "verify", "acknowledge", "dismiss")):
                one = Action(
                    id=f"{raised.alert_id}{raised.level}{number}",
                    deed=deed,  # type: ignore[arg-type]
                    alert=raised.alert_id,
                    who="Mai",
                    at=raised.raised_at + number,
                    why="a test",
                )
                log += [one, one] if number == 1 else [one]
    return log


def said(log: list[RumorInput], restart_every: int = 0) -> tuple[list[bytes], bytes]:
    held, out = fold(), []
    for number, record in enumerate(log, 1):
        out.append(msgspec.msgpack.encode(held.take(record)))
        if restart_every and number % restart_every == 0:
            blob = pack_state(held.snapshot())
            held = fold()
            held.restore(unpack_state(blob))
    return out, pack_state(held.snapshot())


def test_a_restart_anywhere_gives_the_same_bytes_with_actions_in_between() -> None:
    log = log_of(3)
    assert sum(isinstance(record, Action) for record in log) > 20
    assert said(log, restart_every=1) == said(log)


def test_an_action_that_comes_again_changes_nothing() -> None:
    log = log_of(3)
    actions = [record for record in log if isinstance(record, Action)]
    out, state = said(log + actions)
    assert state == said(log)[1]
    assert {msgspec.msgpack.decode(one)["batch"]["alerts"] == [] for one in out[len(log) :]} == {
        True
    }


def test_damage_to_the_order_is_seen() -> None:
    """The comparison above can fail: an action at another place gives other documents."""
    log = log_of(3)
    first = next(at for at, record in enumerate(log) if isinstance(record, Action))
    swapped = [*log[:first], log[first + 1], log[first], *log[first + 2 :]]
    assert said(swapped) != said(log)


# --- the embedded road's inbox -----------------------------------------------------------------


def entries(seed: int) -> list[Entry]:
    return [
        Entry(
            one if isinstance(one, InputRecord) else None, one.at if isinstance(one, Tick) else None
        )
        for one in drawn_log(seed, 200, window_ms=WINDOW)
    ]


def raised_by(seed: int, upto: int) -> list[Decision]:
    road = Road(cluster_fold(**CLUSTER), fold())
    road.take([frame(drawn_log(seed, 200, window_ms=WINDOW)[:upto])])
    alerts = {raised.alert_id for effects in road.effects for raised in effects.raised}
    return [
        Action(id=f"{name}{deed}", deed=deed, alert=name, who="Mai", at=0, why="seen")
        for name in sorted(alerts)
        for deed in ("acknowledge", "dismiss")
    ]


def documents(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with Database(path) as database, database.reading() as connection:
        return {
            table: connection.execute(f"SELECT document FROM {table} ORDER BY {key}").fetchall()
            for table, key in (("alerts", "id"), ("rumors", "id"))
        }


def test_portions_and_restarts_give_the_same_bytes_with_an_inbox(tmp_path: Path) -> None:
    read, left_at = entries(3), 150
    decisions = raised_by(3, left_at)
    assert decisions
    found = []
    # Entries in a portion; whether the road dies, without a checkpoint, before it takes the inbox
    # in, or a while after that.
    for name, portion, deaths in (("one", 150, ()), ("two", 10, (150,)), ("three", 25, (75, 175))):
        with Database(tmp_path / name) as database:
            road, front, done = started(database)
            while done < len(read):
                if done == left_at:
                    inbox.leave(database, decisions if not road_knows(database) else [])
                if done in deaths:
                    deaths = tuple(d for d in deaths if d != done)
                    road, front, done = started(database)
                road.decide()
                road.take(front.take(read[done : done + portion], snapshot=False))
                done += len(read[done : done + portion])
            road.take(front.snapshot())
            road.finish(partial(Front, DOOR, cluster_fold(**CLUSTER)))
        found.append(documents(tmp_path / name))
    statuses = {msgspec.msgpack.decode(row[0])["status"] for row in found[0]["alerts"]}  # type: ignore[call-overload]
    assert "dismissed" in statuses
    assert found[1] == found[0]
    assert found[2] == found[0]


def started(database: Database) -> tuple[EmbeddedRoad, Front, int]:
    """A road as a new process finds it, its front, and how many entries its log holds."""
    road, front = EmbeddedRoad(database, fold()), Front(DOOR, cluster_fold(**CLUSTER))
    road.catch_up(lambda: front, 1000)
    return road, front, road.logged


def road_knows(database: Database) -> bool:
    log = SqliteLog(database)
    return log.end(inbox.INBOX) + log.end(inbox.DECISIONS) > 0


def states(road: EmbeddedRoad, front: Front) -> list[bytes]:
    road._alert.owed()  # as before a checkpoint
    return [pack_state(stage.snapshot()) for stage in (road._alert, front._cluster)]


def test_a_decision_is_folded_at_its_place_again_not_at_the_end(tmp_path: Path) -> None:
    """Without its place a decision would follow the log that came after it."""
    read, left_at = entries(3), 150
    with Database(tmp_path / "one") as database:
        road, front, _ = started(database)
        road.take(front.take(read[:left_at], snapshot=False))
        inbox.leave(database, raised_by(3, left_at))
        road.decide()
        road.take(front.take(read[left_at:], snapshot=False))
        before = states(road, front)
        road, front, done = started(database)
        assert done == len(read)
        assert states(road, front) == before
