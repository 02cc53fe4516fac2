"""How long the embedded road waits between two checkpoints: by what both halves of one took."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from agents import embedded
from agents.embedded import CHECKPOINT_SHARE, GROWTH, EmbeddedRoad
from agents.front import Portion
from streams.codec import pack_state
from streams.sqlite_database import Database
from tests.fold_scene import alert_fold, cluster_fold


def test_the_next_checkpoint_waits_for_what_the_front_spent_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr(embedded, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    with Database(tmp_path / "road.sqlite") as database:
        road = EmbeddedRoad(database, alert_fold())
        snapshot = pack_state(cluster_fold().snapshot())
        road.take(Portion(1, [b"a record"], [], [], snapshot, snapshot_s=3.0))
        clock[0] = (3.0 + 2 * GROWTH * 3.0) / CHECKPOINT_SHARE - 1
        assert not road.checkpoint_due
        clock[0] += 2
        assert road.checkpoint_due


def test_checkpoints_of_a_state_that_grows_take_their_share_in_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, made = [0.0], 0
    monkeypatch.setattr(embedded, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    with Database(tmp_path / "road.sqlite") as database:
        road = EmbeddedRoad(database, alert_fold())
        snapshot = pack_state(cluster_fold().snapshot())
        for second in range(1, 300):
            clock[0] = float(second)
            if road.checkpoint_due:
                cost = 0.01 * second
                road.take(Portion(1, [b"a record"], [], [], snapshot, snapshot_s=cost))
                made += 1
            if second > 30:  # the first one's cost could not be foreseen
                last = 0.01 * second  # that of the stream's end, if it came now
                assert road.checkpoints_s + last <= CHECKPOINT_SHARE * second
    assert made > 3
