"""Real labelled posts, where at hand: replays reach the end, add up, and repeat to the byte."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

TINDON = Path(sys.executable).with_name("tindon")
NAMES = ("assignments.jsonl", "alerts.jsonl", "rumors.jsonl", "dead.jsonl")
SMALL = ("news_vi", "breaking_news", "multilingual")


def replay(file: Path, out: Path) -> dict[str, Any]:
    done = subprocess.run(
        [TINDON, "replay", file, "--out", out],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("name", SMALL)
def test_replays_to_the_end_and_adds_up(shared_data: Path, tmp_path: Path, name: str) -> None:
    file = shared_data / "data" / "labelled" / f"{name}.jsonl.gz"
    summary = replay(file, tmp_path)
    with gzip.open(file) as posts:
        assert summary["posts_in"] == sum(1 for line in posts if line.strip())
    outcomes = Counter(
        json.loads(line)["outcome"]
        for line in (tmp_path / "assignments.jsonl").read_bytes().splitlines()
    )
    for outcome, count in (
        ("folded", "folded"),
        ("duplicate", "duplicates"),
        ("late", "late"),
        ("dead", "dead"),
    ):
        assert outcomes[outcome] == summary[count]
    assert sum(outcomes.values()) == summary["posts_in"]
    dead = (tmp_path / "dead.jsonl").read_bytes().splitlines()
    assert len(dead) == summary["dead"] == sum(summary["dead_by_reason"].values())
    assert 0 < summary["events"] <= summary["rumors"] <= summary["folded"]
    if name == "news_vi":  # a second run gives the same bytes
        (tmp_path / "again").mkdir()
        replay(file, tmp_path / "again")
        for kept in NAMES:
            assert (tmp_path / "again" / kept).read_bytes() == (tmp_path / kept).read_bytes()
