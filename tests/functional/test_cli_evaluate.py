"""`tindon evaluate` as a user meets it: scores of a small labelled file that this test writes."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

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


def test_a_damaged_line_beside_labelled_ones(capsys: pytest.CaptureFixture[str]) -> None:
    path = Path(labelled())
    path.write_text(path.read_text() + '{"id": "half\n', encoding="utf-8")
    assert main(["evaluate", str(path), "--format", "json", "--out", "out"]) == 0
    assert json.loads(Path("out/summary.json").read_text())["dead"] == 1


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
