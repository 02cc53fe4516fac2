"""A checkpoint that an earlier build wrote is found whole, and its state is refused with the way out."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from agents.kafka.fold import LogGap, restored
from alerts.fold import STATE_VERSION as ALERT
from clusters.fold import STATE_VERSION as CLUSTER
from streams.checkpoints.disk import DiskCheckpoints
from streams.codec import CodecError, pack_state, unpack_state
from tests.fold_scene import alert_fold, cluster_fold

KEPT = Path(__file__).resolve().parents[1] / "data" / "checkpoints"


@pytest.mark.parametrize(
    ("name", "fold", "version", "now"),
    [("cluster", cluster_fold, 2, CLUSTER), ("alert", alert_fold, 5, ALERT)],
)
async def test_an_earlier_state_is_refused_in_one_line(
    tmp_path: Path, name: str, fold: Any, version: int, now: int
) -> None:
    shutil.copy(KEPT / f"{name}-0.0", tmp_path)
    store = DiskCheckpoints(tmp_path)
    await store.start()
    found = await store.load(name, 0)
    assert found is not None and (found.offset, store.damaged) == (12, 0), "the file's form stands"
    assert unpack_state(found.blob)["version"] == version

    with pytest.raises(
        CodecError, match=f"has version {version}, this program reads version {now}"
    ):
        fold().restore(unpack_state(found.blob))
    with pytest.raises(
        LogGap, match=f"checkpoint of {name}, partition 0.*version.*delete it"
    ) as said:
        restored(fold(), found.blob, name, 0)
    assert "\n" not in str(said.value)


@pytest.mark.parametrize(("name", "fold"), [("cluster", cluster_fold), ("alert", alert_fold)])
def test_a_state_of_this_build_is_taken_up(name: str, fold: Any) -> None:
    restored(fold(), pack_state(fold().snapshot()), name, 0)
