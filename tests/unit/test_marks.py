"""A program is known by its version and by what decides its results."""

from pathlib import Path

import pytest

from agents import marks


def test_a_program_with_other_code_or_words_is_another_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(marks, "__file__", str(tmp_path / "agents" / "marks.py"))
    for name, text in (("alerts/fold.py", "LEAST = 3"), ("config/lexicons/denial.en.txt", "no")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    seen = {marks.program()}
    (tmp_path / "console").mkdir()
    (tmp_path / "console" / "page.py").write_text("decides nothing")
    assert marks.program() in seen
    for name in ("alerts/fold.py", "config/lexicons/denial.en.txt"):
        (tmp_path / name).write_text("changed")
        seen.add(marks.program())
    (tmp_path / "alerts" / "fold.py").rename(tmp_path / "alerts" / "folds.py")
    seen.add(marks.program())
    assert len(seen) == 4
