"""`tindon explain`: the arithmetic ends in the number that the document has."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.main import main
from stores.sqlite import SqliteStore
from streams.sources.scenario import generate


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("explain")
    posts = home / "day.jsonl"
    posts.write_text("".join(json.dumps(p) + "\n" for p in generate()[:1500]), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TINDON_STATE_DIR", str(home / "state"))
        assert main(["replay", str(posts), "--out", str(home / "out")]) == 0
    return home / "out"


def test_parts_sum_up_to_the_documents_score(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = SqliteStore(folder / "tindon.sqlite")
    alerts = store.alerts()
    rumors = [rumor for alert in alerts if (rumor := store.rumor(alert.rumor_id))]
    store.close()
    assert len(rumors) >= 3
    for alert, rumor in zip(alerts, rumors, strict=True):
        asked = alert.alert_id if alert is alerts[0] else rumor.rumor_id
        assert main(["explain", asked, "--path", str(folder)]) == 0
        said = capsys.readouterr().out.splitlines()
        assert said[-1] == f"score {rumor.score:g}  level {rumor.level}"
        parts = [float(line.split()[4]) for line in said if line.split()[:1] == ["volume"]]
        assert parts and parts[0] > 0


def test_an_unknown_rumor_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "r-nowhere", "--path", str(folder)]) == 1
    assert "there is no rumor or alert 'r-nowhere'" in capsys.readouterr().err
