"""`tindon encoder`: what an engineer sees, and one line with the mend when it cannot work."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from cli.main import main
from embeddings import load_encoder


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["encoder", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture
def posts(tmp_path: Path) -> Path:
    """Invented posts of two stories."""
    file = tmp_path / "posts.jsonl"
    rows = [
        {"text": f"{words} lần {n}", "cluster": story}
        for story, words in (("cầu", "cầu Rồng bị sập"), ("thuốc", "lá cây chữa khỏi bệnh"))
        for n in range(6)
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return file


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    folder = tmp_path / "pairs"
    folder.mkdir()
    lines = "en\tvi\tThe bridge is closed\tCầu bị đóng\nen\tvi\tIt rains a lot\tTrời mưa nhiều\n"
    (folder / "test_small.tsv.gz").write_bytes(gzip.compress(lines.encode()))
    return folder


def test_info_names_the_encoder(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "info", "--format", "json")
    answer = json.loads(out)
    assert code == 0
    assert f"{answer['name']}/{answer['version']}/{answer['sha256']}" == load_encoder().identity


def test_bench_reports_speed_load_and_memory(
    capsys: pytest.CaptureFixture[str], posts: Path
) -> None:
    code, out, _ = said(capsys, "bench", "--posts", str(posts), "--format", "json")
    answer = json.loads(out)
    assert code == 0 and answer["posts"] == 12
    assert answer["posts_per_core_s"] > 0 and answer["load_s"] > 0
    assert 0 < answer["added_mb"] <= 60  # the budget of the encoder


def test_compare_puts_two_side_by_side(
    capsys: pytest.CaptureFixture[str], posts: Path, pairs: Path
) -> None:
    code, out, _ = said(
        capsys, "compare", "shipped", "shipped", "--posts", str(posts), "--pairs", str(pairs)
    )
    assert code == 0
    assert "retrieval small vi-bare" in out and "stories posts AUC" in out


def test_export_writes_a_folder_once(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = tmp_path / "out"
    assert said(capsys, "export", str(folder))[0] == 0
    assert (folder / "modules.json").exists()
    code, _, err = said(capsys, "export", str(folder))
    assert code == 1 and "name a new one" in err


@pytest.mark.parametrize(
    ("arguments", "code", "mend"),
    [
        (["info", "/no/such/folder"], 1, "check the path"),
        (["info", "nobody/no-such-model"], 1, "pip install|hf download"),
        (["compare", "shipped", "shipped"], 2, "--pairs"),
        (["compare", "shipped", "shipped", "--posts", "/no/file"], 1, "check the path"),
        (["bench", "--posts", __file__], 1, "check the file"),
    ],
)
def test_what_cannot_work_is_one_line_with_the_mend(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, mend: str
) -> None:
    found, _, err = said(capsys, *arguments)
    assert found == code
    assert len(err.strip().splitlines()) == 1
    assert any(word in err for word in mend.split("|"))
