"""Settings are records of the logs: in force from their place on, whatever the cuts and restarts."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import config
from agents.applying import applied_to_folder, apply_to_folder, change_of
from agents.inbox import INBOX
from alerts import BadParameter
from config.changing import changed
from streams.codec import encode, unpack_state
from streams.documents import Batch, newest
from streams.inputs import SettingsChange, read_embedded, read_input
from streams.records import Frame
from streams.sqlite_database import Database
from streams.sqlite_log import SqliteLog
from tests.fold_scene import DAY, Road, alert_fold, cluster_fold, cut, drawn_log, frame, level

WINDOW = 2 * DAY
SEEDS = st.integers(0, 2**32 - 1)


def settings_change(version: str = "v2", **changes: Any) -> SettingsChange:
    """Coarser clusters, a shorter window and alerts for nobody but crowds."""
    values: dict[str, Any] = {
        "cluster": {"micro_threshold": 0.2, "window_ms": DAY, "dense_weight": 0.9},
        "alert": {
            "macro_threshold": 0.1,
            "suggest": msgspec.to_builtins(level(0.1, 8, 6)),
            "confirm": msgspec.to_builtins(level(0.2, 20, 10)),
            "weights": {"enquiry_share": 3.0},
            "dense_weight": 0.9,
            "settings_version": version,
        },
    }
    return SettingsChange(
        id="c1", version=version, who="Lan", at=0, values={}, **(values | changes)
    )


def road() -> Road:
    return Road(
        cluster_fold(window_ms=WINDOW, micro_threshold=0.6),
        alert_fold(suggest=level(0.1, 3, 2), confirm=level(0.4, 5, 4), index_posts=3),
    )


def settle(done: Road, change: SettingsChange) -> None:
    """As the record reaches both folds: out of its bytes."""
    message = encode(change)
    assert done.cluster.take(read_embedded(message)) == []
    done.effects.append(done.alert.take(read_input(message)))


def again(done: Road) -> Road:
    """A worker that starts anew with the settings of its own file."""
    fresh = road()
    clusters, alerts = done.state()
    fresh.cluster.restore(unpack_state(clusters))
    fresh.alert.restore(unpack_state(alerts))
    assert fresh.state() == (clusters, alerts)
    fresh.changes, fresh.effects = done.changes, done.effects
    return fresh


def told(done: Road) -> tuple[list[bytes], list[bytes], tuple[bytes, bytes]]:
    return (
        [encode(c) for c in done.changes],
        [msgspec.msgpack.encode(e) for e in done.effects],
        done.state(),
    )


def log_of(seed: int) -> Frame:
    return frame(drawn_log(seed, random.Random(seed).choice([40, 140, 220]), window_ms=WINDOW))


@given(seed=SEEDS, place=SEEDS, cuts=SEEDS)
@settings(max_examples=10)
def test_the_same_place_gives_the_same_bytes(seed: int, place: int, cuts: int) -> None:
    log, chance = log_of(seed), random.Random(cuts)
    at = place % len(log.offsets)
    before, *after = cut(log, [at]) if at else [None, log]
    expected = road()
    expected.take([before] if before is not None else [])
    settle(expected, settings_change())
    expected.take(after)

    got = road()
    for part in [before, None, *after] if before is not None else [None, *after]:
        if part is None:
            got = again(got) if chance.random() < 0.5 else got
            settle(got, settings_change())
            got = again(got)
            continue
        for piece in cut(part, [chance.randrange(len(part.offsets)) for _ in range(4)]):
            got.take([piece])
            got = again(got) if chance.random() < 0.3 else got
    assert told(got) == told(expected)
    assert got.alert.settings_version == "v2"


def test_in_force_from_its_place_on_and_not_before() -> None:
    log = log_of(11)
    half = len(log.offsets) // 2
    before, after = cut(log, [half])
    left, turned = road(), road()
    for one in (left, turned):
        one.take([before])
    assert told(left) == told(turned)
    crowds = msgspec.to_builtins(level(0.1, 1_000, 1_000))
    alert = {"suggest": crowds, "confirm": crowds, "settings_version": "v2"}
    settle(turned, settings_change(alert=alert))
    changes = len(turned.changes)
    for one in (left, turned):
        one.take([after])
    assert any(e.raised for e in left.effects[changes:])
    assert not any(e.raised for e in turned.effects[changes:]), "nobody gathers such crowds"
    micros = [one.cluster.active for one in (left, turned)]
    assert micros[1] < micros[0], "the coarser threshold opens fewer"
    assert turned.alert.settings_version == "v2"
    [entry] = [entry for e in turned.effects for entry in e.batch.audits]
    assert (entry.deed, entry.who, entry.subject, entry.taken) == ("settings", "Lan", "v2", True)


def test_going_back_is_applying_the_earlier_version() -> None:
    stands = settings_change(
        "v1",
        cluster={"micro_threshold": 0.6, "window_ms": WINDOW},
        alert=msgspec.to_builtins(road().alert.parameters) | {"settings_version": "v1"},
    )
    log = log_of(5)
    plain, back = road(), road()
    settle(plain, stands)
    for change in (settings_change(), stands):
        settle(back, change)
    for one in (plain, back):
        one.take([log])
    assert [encode(c) for c in back.changes] == [encode(c) for c in plain.changes]
    assert back.alert.settings_version == plain.alert.settings_version == "v1"
    assert [e.raised for e in back.effects][-1:] == [e.raised for e in plain.effects][-1:]


def test_what_a_fold_cannot_use_changes_nothing() -> None:
    """A record of the log must never stop a fold; `apply` has refused such a one before."""
    for broken in (
        {"weights": {"charm": 1.0}, "settings_version": "v2"},
        {"macro_threshold": "low"},
        {"thresholds": {"enquiry_share": -1.0}},
    ):
        got = road()
        stands = got.alert.parameters
        settle(got, settings_change(alert=broken))
        assert got.alert.parameters == stands
        [entry] = got.effects[-1].batch.audits
        assert not entry.taken and "cannot use" in entry.reason


def test_the_dense_weight_stays_with_the_sums_that_were_made_with_it() -> None:
    got = road()
    settle(got, settings_change())
    assert got.alert.parameters.dense_weight == 0.3
    assert got.cluster._parameters.dense_weight == 0.3
    assert got.cluster._parameters.micro_threshold == 0.2


def test_a_change_out_of_settings_and_its_list(tmp_path) -> None:
    base = config.defaults()
    wanted = changed(base, {"alert.suggest.min_posts": 9, "cluster.window_days": 3}, "a test")
    change = change_of(wanted, who="Lan", at=5, why="fewer false alerts")
    assert change.version == wanted.sha256[:12] == change.alert["settings_version"]
    assert change.values["alert.suggest.min_posts"] == 9
    assert change.cluster["window_ms"] == 3 * DAY
    path = tmp_path / "tindon.sqlite"
    apply_to_folder(path, change)
    earlier = change_of(changed(wanted, {"alert.suggest.min_posts": 6}, "a test"), who="Lan", at=6)
    apply_to_folder(path, earlier)
    assert applied_to_folder(path) == [change, earlier]
    database = Database(path)
    kept = SqliteLog(database).read(INBOX, 0, 10)
    assert [read_input(value) for _, value in kept] == [change, earlier]
    database.close()


def test_settings_that_the_folds_cannot_use_make_no_record() -> None:
    wanted = changed(config.defaults(), {"alert.weights.charm": 1}, "a test")
    with pytest.raises(BadParameter, match="there is no signal 'charm'"):
        change_of(wanted, who="Lan", at=0)


@given(seed=SEEDS, place=SEEDS)
@settings(max_examples=15)
def test_documents_that_waited_say_what_the_settings_before_said(seed: int, place: int) -> None:
    done = road()
    done.take([log_of(seed)])
    at = place % len(done.changes)
    told: list[Batch] = []
    for more in (False, True):
        fold, batches = road().alert, list[Batch]()
        for number, change in enumerate(done.changes):
            if number == at:
                batches.append(fold.take(read_input(encode(settings_change()))).batch)
            batches.append(fold.apply(change, more=more).batch)
        told.append(newest([*batches, fold.flush()]))
    plain, waited = told
    assert plain.rumors and _in_order(waited.rumors) == _in_order(plain.rumors)
    assert _in_order(waited.alerts) == _in_order(plain.alerts)


def _in_order(documents: list[Any]) -> list[str]:
    return sorted(map(repr, documents))
