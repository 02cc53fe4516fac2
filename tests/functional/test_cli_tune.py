"""`tindon tune` as an engineer meets it, on a small labelled file that this test writes."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from cli.main import main

START = 1_790_000_000
STORIES = {
    "dam": "đập hồ lam sắp vỡ bà con hạ du sơ tán gấp trong đêm",
    "bank": "ngân hàng sao mai hết tiền mặt khách xếp hàng rút tiền",
    "bread": "bánh mì cô tám bỏ hàn the chục học sinh nhập viện",
    "bridge": "cầu sông giang nứt trụ cấm xe tải qua lại từ chiều nay",
}
SWEEP = ["--set", "cluster.micro_threshold=.2,.5", "--set", "alert.suggest.min_posts=3,9"]


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TINDON_EMBED__ENCODER", "none")
    monkeypatch.chdir(tmp_path)


def labelled(path: str = "posts.jsonl", stories: int = 4, *, times: bool = True) -> str:
    """Stories of 20 posts one after the other with chatter between, all invented."""
    chance = random.Random(4)
    lines = []
    for name, words in list(STORIES.items())[:stories]:
        for number in range(30):
            told = " ".join(chance.sample(words.split(), 9))
            noise = " ".join("".join(chance.sample("bcdghklmnpqrstvx", 6)) for _ in range(8))
            text, story = (told, name) if number % 3 else (noise, None)
            post = {"id": f"p{len(lines)}", "text": text, "cluster": story}
            if times:
                post["created_at"] = START + 60 * len(lines)
            lines.append(json.dumps(post, ensure_ascii=False))
    Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_study_and_going_on_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    posts = labelled()
    assert main(["tune", posts, "--out", "study", "--jobs", "1", *SWEEP]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert "9 combinations" in said.out and "held-out" in said.out
    out = Path("study")
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert [len(axis["values"]) for axis in results["axes"]] == [3, 3]
    assert results["cells"][0]["values"] == {
        "cluster.micro_threshold": 0.3, "alert.suggest.min_posts": 4,
    }  # fmt: skip
    assert (results["posts_first"], results["parts"]["held_out"]["posts"]) == (60, 60)
    page = (out / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 3
    for name in ("curves", "cost", "held_out"):
        assert (out / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    yaml.safe_load((out / "proposed.yaml").read_text(encoding="utf-8"))
    assert not list(out.rglob("changes-*"))  # logs of changes go when they are used up

    # Three results are lost, as if the study had been cut off: only they are made again.
    [folder] = out.glob("work/cells-*")
    files = sorted(folder.iterdir())
    kept = {path: path.stat().st_mtime_ns for path in files[3:]}
    before = {path: path.read_bytes() for path in files}
    for path in files[:3]:
        path.unlink()
    whole = (out / "results.json").read_bytes()
    assert main(["tune", posts, "--out", "study", "--jobs", "2", *SWEEP]) == 0
    assert {path: path.stat().st_mtime_ns for path in files[3:]} == kept
    assert {path: path.read_bytes() for path in files} == before
    assert (out / "results.json").read_bytes() == whole


def test_a_study_is_stopped_or_killed_and_goes_on(tmp_path: Path) -> None:
    posts = labelled()
    sweep = ["--set", "cluster.micro_threshold=.1:.5:.1", "--set", "alert.suggest.min_posts=1:24:1"]
    command = [sys.executable, "-m", "cli.main", "tune", posts, "--out", "study", "--jobs", "1"]
    study = Path("study")
    kept: dict[Path, int] = {}
    for number, code, least in ((signal.SIGINT, 130, 3), (signal.SIGKILL, -signal.SIGKILL, 40)):
        with subprocess.Popen([*command, *sweep], stderr=subprocess.PIPE, text=True) as running:
            while len(cells := list(study.glob("work/cells-*/*.json"))) < least:
                assert running.poll() is None, "it is over before it could be stopped"
                time.sleep(0.005)
            running.send_signal(number)
            _, said = running.communicate()
        assert running.returncode == code
        if number == signal.SIGINT:
            assert said == "tindon: stopped; the same command goes on with what stands in study\n"
            assert not list(study.rglob("changes-*"))
        assert not (study / "report.html").exists()
        assert {path: path.stat().st_mtime_ns for path in kept} == kept
        kept = {path: path.stat().st_mtime_ns for path in study.glob("work/cells-*/*.json")}
        assert len(kept) >= len(cells)
    assert main([*command[3:], *sweep]) == 0
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert len(list(study.glob("work/cells-*/*.json"))) == 120  # 5 x 24
    assert (study / "report.html").exists()
    assert not list(study.rglob("changes-*")), "a killed study's logs are gone too"


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--set", "cluster.micro=.2,.3"], 2, "did you mean"),
        (["--set", "alert.weights.charm=1"], 2, "there is no signal"),
        (["--set", "cluster.micro_threshold=.5:.2:.1"], 2, "empty range"),
        (["--split", "1"], 2, "--split"),
        (["--jobs", "-1"], 2, "--jobs"),
        (["--split", "0.001"], 1, "cannot be parted"),
    ],
)
def test_wrong_use_is_one_line_and_leaves_nothing(
    arguments: list[str], code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tune", labelled(), "--out", "study", *arguments]) == code
    said = capsys.readouterr()
    assert says in said.err and said.err.count("\n") == 1
    assert not Path("study/results.json").exists()


def test_labels_that_cannot_tell(capsys: pytest.CaptureFixture[str]) -> None:
    cases = [
        (labelled("one.jsonl", stories=1), "one story"),
        (labelled("timeless.jsonl", times=False), "--assume-rate"),
        (labelled("two.jsonl", stories=2), "at least 2 are needed"),
        ("missing.jsonl", "check the path"),
    ]
    for path, says in cases:
        assert main(["tune", path, "--out", "study", "--set", "alert.suggest.min_posts=9"]) == 1
        said = capsys.readouterr()
        assert says in said.err and said.err.count("\n") == 1, path
    Path("file").touch()
    assert main(["tune", labelled(), "--out", "file"]) == 1
    assert "is no folder" in capsys.readouterr().err


def test_standard_input_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tune", "-", "--out", "study"]) == 2
    assert "give files, not -" in capsys.readouterr().err
