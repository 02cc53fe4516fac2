"""`tindon evaluate` as a user meets it: scores of a small labelled file that this test writes."""

from __future__ import annotations

import json
import os
import random
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import cli.replay
import evaluation
from agents import replay as replaying
from agents.embedded import Progress
from cli.main import main

STORIES = {
    "dam": "đập hồ lam sắp vỡ bà con hạ du sơ tán gấp trong đêm",
    "bank": "ngân hàng sao mai hết tiền mặt khách xếp hàng rút tiền",
    "bread": "bánh mì cô tám bỏ hàn the chục học sinh nhập viện",
}
START = 1_790_000_000


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TINDON_EMBED__ENCODER", "none")
    monkeypatch.chdir(tmp_path)


def labelled(path: str = "posts.jsonl", *, labels: bool = True) -> str:
    """Three stories of 20 posts and 30 posts of chatter, all invented."""
    chance = random.Random(4)
    posts = []
    for name, words in STORIES.items():
        for _ in range(20):
            told = " ".join(chance.sample(words.split(), 9))
            posts.append({"text": told, "cluster": name, "label": "rumor"})
    for _ in range(30):
        text = " ".join("".join(chance.sample("bcdghklmnpqrstvx", 6)) for _ in range(8))
        posts.append({"text": text, "cluster": None, "label": "chatter"})
    chance.shuffle(posts)
    for number, post in enumerate(posts):
        post |= {
            "id": f"p{number}",
            "created_at": START + 60 * number,
            "author": f"w{number}",
        }
        if not labels:
            post["cluster"] = None
    Path(path).write_text("".join(json.dumps(p) + "\n" for p in posts), encoding="utf-8")
    return path


def test_text_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", labelled()]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    for word in ("B-cubed", "AMI", "ARI"):
        assert word.lower() in said.out.lower()


def test_json_and_the_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", labelled(), "--format", "json", "--out", "out"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert json.loads(Path("out/results.json").read_text(encoding="utf-8")) == found
    report = Path("out/report.html").read_text(encoding="utf-8")
    assert report.startswith("<!DOCTYPE html>") or "<html" in report
    assert json.loads(Path("out/summary.json").read_text())["posts_in"] == 90
    scores = find(found, "f1")
    assert scores
    assert all(0 <= value <= 1 for value in scores)
    assert max(scores) > 0.6, "three plain stories are found"


def test_a_second_run_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    said = []
    for _ in range(2):
        assert main(["evaluate", labelled(), "--format", "json"]) == 0
        said.append(json.loads(capsys.readouterr().out))
    first, second = (without_wall_time(one) for one in said)
    assert first == second


def test_files_without_labels_give_counts_and_no_scores(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["evaluate", labelled(labels=False), "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert find(found, "f1") == []


def test_files_without_the_column_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    path = Path(labelled())
    posts = [json.loads(line) for line in path.read_text().splitlines()]
    for one in posts:
        del one["cluster"]
    path.write_text("".join(json.dumps(p) + "\n" for p in posts), encoding="utf-8")
    assert main(["evaluate", str(path)]) == 1
    assert "cluster" in capsys.readouterr().err


def test_posts_without_time_are_told_and_scored_at_an_assumed_rate(
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = Path(labelled())
    posts = [json.loads(line) for line in path.read_text().splitlines()]
    for one in posts:
        del one["created_at"]
    path.write_text("".join(json.dumps(p) + "\n" for p in posts), encoding="utf-8")
    assert main(["evaluate", str(path), "--out", "out"]) == 1
    said = capsys.readouterr()
    assert said.err.startswith("tindon: posts.jsonl: none of 90 posts was folded")
    assert "--assume-rate" in said.err and said.err.strip().count("\n") == 0
    assert main(["evaluate", str(path), "--assume-rate", "60", "--out", "timed"]) == 0


def test_broken_lines_are_counted_by_reason_and_the_rest_is_scored(
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = labelled()
    sound = scored(capsys, path)
    add(path, '{"id": "half', {"id": "mute", "created_at": START, "cluster": None, "text": " "})
    add(path, {"id": 7, "text": "mất điện", "created_at": START, "cluster": None})
    broken = scored(capsys, path)
    assert broken["posts"]["dead_by_reason"] == {"bad_id": 1, "no_text": 1, "not_json": 1}
    assert broken["clustering"] == sound["clustering"]
    told = notices(capsys, path)
    assert told == [
        "Dead records: 3 (1 bad_id, 1 no_text, 1 not_json). The rest is evaluated; a dead post with a "
        "story stands alone."
    ]


def test_an_id_that_came_twice_is_scored_once(capsys: pytest.CaptureFixture[str]) -> None:
    path = labelled()
    sound = scored(capsys, path)
    posts = [json.loads(line) for line in Path(path).read_text().splitlines()]
    again = [one for one in posts if one["cluster"]][:7]
    for one in again:
        one["created_at"] += 86_400
    again[0]["cluster"] = "bread" if again[0]["cluster"] == "dam" else "dam"
    add(path, *again)
    twice = scored(capsys, path)
    assert twice["posts"]["duplicate"] == 7
    assert twice["clustering"] == sound["clustering"]
    assert twice["mistakes"] == sound["mistakes"]
    assert notices(capsys, path) == [
        "Ids that came more than once in their source: 7. Each post is scored once; 1 had several "
        "labels: the first counts."
    ]


def test_unknown_columns_are_named_once(capsys: pytest.CaptureFixture[str]) -> None:
    path = Path(labelled())
    assert notices(capsys, str(path)) == [], "label and cluster are no strangers"
    posts = [json.loads(line) for line in path.read_text().splitlines()]
    names = ["id", "text", "created_at", "author", "cluster", "label"]
    table = ["likes," + ",".join(names)]
    table += ["3," + ",".join(str(one[name] or "") for name in names) for one in posts]
    Path("posts.csv").write_text("\n".join(table), encoding="utf-8")
    for one in posts:
        one |= {"likes": 3, "tag\x1b[2J": ["#x"]}
    path.write_text("".join(json.dumps(p) + "\n" for p in posts), encoding="utf-8")
    told = "Columns that Tindon does not know are left out, as in a replay: "
    assert notices(capsys, str(path)) == [told + "likes, tag?[2J."]
    assert notices(capsys, "posts.csv") == [told + "likes."]


def test_small_stories_give_a_sentence_instead_of_empty_axes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = Path(labelled())
    posts = [json.loads(line) for line in path.read_text().splitlines()]
    seen = dict.fromkeys(STORIES, 0)
    for one in filter(lambda one: one["cluster"], posts):
        seen[one["cluster"]] += 1
        one["cluster"] = one["cluster"] if seen[one["cluster"]] < 10 else None
    path.write_text("".join(json.dumps(p) + "\n" for p in posts), encoding="utf-8")
    assert main(["evaluate", str(path), "--out", "out"]) == 0
    report = Path("out/report.html").read_text(encoding="utf-8")
    assert "No story has 10 labelled posts or more" in report
    assert report.count("<svg") == 1, "scores by story size alone"


@pytest.fixture
def deaf() -> Iterator[None]:
    """SIGTERM does nothing unless the command sees to it (the suite's own answer is an interrupt)."""

    def nothing(*_: object) -> None:
        pass

    before = signal.signal(signal.SIGTERM, nothing)
    yield
    assert signal.signal(signal.SIGTERM, before) is nothing, "the command gives its answer back"


@pytest.mark.usefixtures("deaf")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("kept", [False, True], ids=["in the replay", "in the scoring"])
def test_a_stopped_evaluation_goes_on(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
    kept: bool,
) -> None:
    path = labelled()
    sound = without_wall_time(scored(capsys, path))
    monkeypatch.setattr(replaying, "CHUNK", 20)
    arguments = ["evaluate", path, "--format", "json", "--out", "out"]
    with monkeypatch.context() as patch:
        if kept:
            patch.setattr(evaluation, "score", lambda *_, **__: os.kill(os.getpid(), number))
        else:
            patch.setattr(cli.replay, "progress_bar", lambda: Stopping(60, number))
        assert main(arguments) == 130
    said = capsys.readouterr()
    assert said.err == "tindon: stopped; the same command goes on with what stands in out\n"
    assert said.out == ""
    assert not Path("out/results.json").exists()
    with monkeypatch.context() as patch:
        begun = Stopping(1_000, number)
        patch.setattr(cli.replay, "progress_bar", lambda: begun)
        assert main(arguments) == 0
    assert not begun.calls if kept else begun.calls[0] > 60
    said = capsys.readouterr()
    told = "replay  the one in out is kept: same files, settings and program\n"
    assert said.err == (told if kept else "")
    assert without_wall_time(json.loads(said.out)) == sound


def test_a_kept_replay_is_of_the_same_files_settings_and_program(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = labelled()
    arguments = ["evaluate", path, "--out", "out"]

    def kept() -> bool:
        assert main(arguments) == 0
        return "is kept" in capsys.readouterr().err

    assert not kept()
    assert kept()
    add(path, {"id": "new", "text": "mất điện", "created_at": START, "cluster": None})
    assert not kept()
    assert kept()
    monkeypatch.setenv("TINDON_ALERT__MACRO_THRESHOLD", "0.3")
    assert not kept()
    assert kept()
    monkeypatch.setattr("agents.marks.program", lambda: "0.0.0/changed")
    assert not kept()
    assert kept()
    Path("out/alerts.jsonl").unlink()
    assert not kept()


@pytest.mark.usefixtures("deaf")
def test_stopped_without_a_folder_leaves_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = labelled()
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    monkeypatch.setattr(cli.replay, "progress_bar", lambda: Stopping(1, signal.SIGTERM))
    assert main(["evaluate", path]) == 130
    assert "with --out DIR the same command would go on" in capsys.readouterr().err
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["-"], 2, "give files"),
        (["nowhere.jsonl"], 1, "does not exist"),
        (["posts.jsonl", "--format", "xml"], 2, "--format"),
        ([], 2, "evaluate"),
    ],
)
def test_wrong_use_and_missing_files(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, word: str
) -> None:
    labelled()
    assert main(["evaluate", *arguments]) == code
    said = capsys.readouterr().err
    assert word in said
    assert "Traceback" not in said
    assert said.strip().count("\n") == 0


class Stopping:
    """A progress bar that sends a signal to this process once so many posts are in."""

    def __init__(self, at: int, number: signal.Signals) -> None:
        self.at, self.number, self.calls = at, number, list[int]()

    def __enter__(self) -> Stopping:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __call__(self, progress: Progress, total: int | None) -> None:
        self.calls.append(progress.posts_in)
        if progress.posts_in >= self.at:
            os.kill(os.getpid(), self.number)


def add(path: str, *records: dict[str, Any] | str) -> None:
    with open(path, "a", encoding="utf-8") as file:
        for one in records:
            file.write((one if isinstance(one, str) else json.dumps(one)) + "\n")


def scored(capsys: pytest.CaptureFixture[str], path: str) -> Any:
    assert main(["evaluate", path, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def notices(capsys: pytest.CaptureFixture[str], path: str) -> list[str]:
    """The lines between the first one and the tables."""
    assert main(["evaluate", path]) == 0
    return capsys.readouterr().out.split("\n\n")[0].splitlines()[1:]


def find(value: object, name: str) -> list[float]:
    """Every number called `name`, however deep."""
    if isinstance(value, dict):
        own = [v for k, v in value.items() if k == name and isinstance(v, float)]
        return own + [x for v in value.values() for x in find(v, name)]
    if isinstance(value, list):
        return [x for v in value for x in find(v, name)]
    return []


def without_wall_time(value: object) -> object:
    if isinstance(value, dict):
        wall = ("wall_s", "posts_per_s", "peak_rss_bytes")
        return {k: without_wall_time(v) for k, v in value.items() if k not in wall}
    if isinstance(value, list):
        return [without_wall_time(v) for v in value]
    return value
