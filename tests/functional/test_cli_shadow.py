"""`tindon shadow` over files, as an engineer meets it; posts are invented."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from streams.sources.scenario import generate

POSTS = 900


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TINDON_EMBED__ENCODER", "none")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def day() -> str:
    lines = [json.dumps(post, ensure_ascii=False) for post in generate()[:POSTS]]
    Path("day.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return "day.jsonl"


def candidate(text: str) -> str:
    Path("candidate.yaml").write_text(text, encoding="utf-8")
    return "candidate.yaml"


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["shadow", *arguments, "--format", "json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_two_settings_over_a_file(day: str, capsys: pytest.CaptureFixture[str]) -> None:
    same = told(capsys, day, "--candidate", candidate("alert: {}"), "--out", "kept")
    assert same["changed"] == {} and same["alerts"] == []
    assert same["fates"]["same"] == same["sides"]["in_force"]["suggest"] > 0
    assert same["rumors"]["appear"] == same["rumors"]["vanish"] == same["rumors"]["changed"] == 0
    assert json.loads(Path("kept/shadow.json").read_text(encoding="utf-8")) == same

    strict = candidate("alert:\n  suggest:\n    min_posts: 40\n    min_voices: 30\n")
    other = told(capsys, day, "--candidate", strict, "--out", "kept")
    assert other["changed"] == {
        "alert.suggest.min_posts": [4, 40], "alert.suggest.min_voices": [2, 30],
    }  # fmt: skip
    gone = other["fates"]["vanishes"] + other["fates"]["later"]
    # What an alert in force covers may stand for itself where that alert is not raised.
    assert gone > other["fates"]["appears"]
    assert other["sides"]["candidate"]["suggest"] < other["sides"]["in_force"]["suggest"]

    assert main(["shadow", day, "--candidate", strict, "--out", "kept"]) == 0
    said = capsys.readouterr()
    assert said.err == "" and "alert.suggest.min_posts: 4 → 40" in said.out


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("embed:\n  encoder: shipped\n", "embed.encoder cannot differ"),
        ("intake:\n  lateness_h: 1\n", "intake.lateness_h cannot differ"),
        ("cluster:\n  micro_treshold: .3\n", "did you mean cluster.micro_threshold"),
        ("cluster:\n  micro_threshold: low\n", "valid number"),
        ("alert:\n  weights:\n    charm: 1\n", "there is no signal 'charm'"),
        ("- a list\n", "holds no table"),
    ],
)
def test_a_candidate_that_cannot_be_compared(
    text: str, says: str, day: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["shadow", day, "--candidate", candidate(text)]) == 2
    said = capsys.readouterr()
    assert says in said.err and said.err.count("\n") == 1 and said.out == ""


def test_wrong_use(day: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = candidate("alert: {}")
    for arguments, code in (
        ([day, "--candidate", "missing.yaml"], 2),
        ([day, "--candidate", file, "--minutes", "1"], 2),
        (["--candidate", file, "--minutes", "0"], 2),
        (["--candidate", file, "--to-end", "--from-now"], 2),
        (["-", "--candidate", file], 2),
        (["missing.jsonl", "--candidate", file], 1),
    ):
        assert main(["shadow", *arguments]) == code, arguments
        assert capsys.readouterr().err.count("\n") == 1
