"""`tindon settings` over a replay's folder, as an engineer meets it; posts are invented."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import config
from agents.embedded import EmbeddedRoad
from agents.feeding import Entry
from agents.stages import Stages
from cli.main import main
from stores.sqlite import SqliteStore
from streams.sources.scenario import generate
from streams.sqlite_database import Database
from streams.validation import InputRecord

POSTS = 700


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TINDON_EMBED__ENCODER", "none")
    monkeypatch.chdir(tmp_path)
    Path("run").mkdir()
    Path("quiet.yaml").write_text("alert:\n  suggest:\n    min_posts: 400\n")


def entries() -> list[Entry]:
    made = []
    for number, post in enumerate(generate()[:POSTS]):
        raw = json.dumps(post, ensure_ascii=False).encode()
        made.append(Entry(InputRecord(source="day", input=f"day:{number}", raw=raw), None))
    return made


def raised(road: EmbeddedRoad) -> int:
    return road.progress.suggest


def test_a_running_replay_takes_up_settings_and_goes_back(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The road runs in this test, in portions; the commands find its database as another process would."""
    day, database = entries(), Database(Path("run/tindon.sqlite"))
    built = Stages(config.load().settings)
    road, front = EmbeddedRoad(database, built.alert), built.front

    def run(portion: list[Entry]) -> None:
        road.decide()
        road.take(front.take(portion, snapshot=True))

    run(day[:200])
    before = raised(road)
    assert main(["settings", "diff", "quiet.yaml", "--path", "run"]) == 0
    assert capsys.readouterr().out == "alert.suggest.min_posts: 4 → 400\n"
    said = ["settings", "apply", "quiet.yaml", "--who", "Lan", "--why", "too loud", "--path", "run"]
    assert main(said) == 0
    assert "alert.suggest.min_posts: 4 → 400" in capsys.readouterr().out
    run(day[200:350])
    assert raised(road) == before > 0, "from its place on nobody reaches 400 posts"

    Path("back.yaml").write_text("alert: {}\n")
    assert main(["settings", "apply", "back.yaml", "--who", "Lan", "--path", "run"]) == 0
    capsys.readouterr()
    run(day[350:])
    assert raised(road) > before, "the earlier version is in force again"
    road.finish(lambda: front)

    assert main(["settings", "show", "--path", "run", "--format", "json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert [a["why"] for a in shown["applied"]] == ["too loud", ""]
    assert shown["version"] == config.load().settings.sha256[:12]
    assert main(["settings", "show", "--path", "run"]) == 0
    assert "by Lan: too loud" in capsys.readouterr().out
    assert main(["settings", "apply", "back.yaml", "--who", "Lan", "--path", "run"]) == 0
    assert capsys.readouterr().out == "back.yaml changes nothing\n"
    store = SqliteStore(Path("run/tindon.sqlite"))
    assert [entry.why for entry in store.audit(limit=10)] == ["", "too loud"]
    assert {a.settings_version for a in store.alerts(limit=100)} >= {shown["version"]}
    store.close()
    database.close()


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("intake:\n  lateness_h: 1\n", 2, "intake.lateness_h cannot differ"),
        ("embed:\n  encoder: shipped\n", 2, "embed.encoder cannot differ"),
        ("cluster:\n  dense_weight: .5\n", 2, "cannot change in a running fold"),
        ("alert:\n  weights:\n    charm: 1\n", 2, "there is no signal"),
        ("alert:\n  suggest:\n    min_post: 4\n", 2, "did you mean alert.suggest.min_posts"),
    ],
)
def test_what_cannot_be_applied_is_one_line_and_changes_nothing(
    text: str, code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Database(Path("run/tindon.sqlite")).close()
    Path("file.yaml").write_text(text)
    assert main(["settings", "apply", "file.yaml", "--who", "Lan", "--path", "run"]) == code
    said = capsys.readouterr()
    assert says in said.err and said.err.count("\n") == 1 and said.out == ""
    assert main(["settings", "show", "--path", "run", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["applied"] == []


def test_no_name_no_folder_no_broker(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINDON_KAFKA__BOOTSTRAP", "127.0.0.1:9")
    monkeypatch.setenv("TINDON_KAFKA__WAIT_S", "0")
    for arguments, code in (
        (["apply", "quiet.yaml", "--who", " ", "--path", "run"], 2),
        (["apply", "quiet.yaml", "--who", "Lan", "--path", "nowhere"], 1),
        (["apply", "missing.yaml", "--who", "Lan"], 2),
        (["show"], 1),
    ):
        assert main(["settings", *arguments]) == code, arguments
        assert capsys.readouterr().err.count("\n") == 1
