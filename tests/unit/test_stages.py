"""The stages of a replay: a process builds what it uses."""

from __future__ import annotations

from pathlib import Path

import config
from agents.stages import Stages


def test_a_process_that_raises_alerts_holds_no_encoder(tmp_path: Path) -> None:
    built = Stages(config.load(env={"TINDON_STATE_DIR": str(tmp_path)}).settings)
    assert built.alert.open_rumors == 0
    assert "door" not in vars(built), "no encoder was loaded"
    assert built.identity == built.door.identity, "and it knows its name all the same"
