"""The process that reads and clusters: when it starts, and what is said when it ends too early."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from multiprocessing import get_context
from pathlib import Path

import pytest

from agents.front_child import FrontChild
from agents.front_process import FrontEnded, FrontProcess


@pytest.mark.parametrize("begun", [b"", struct.pack("!i", 100) + b"P and a part of"])
def test_an_end_between_messages_and_in_the_middle_of_one(begun: bytes) -> None:
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    front = FrontProcess.__new__(FrontProcess)
    front._connection = ours
    front._process = context.Process(target=os._exit, args=(3,))
    front._process.start()
    os.write(theirs.fileno(), begun)
    theirs.close()
    with pytest.raises(FrontEnded, match=r"exit code 3.*the replay goes on"):
        front.total()
    ours.close()


def test_a_child_that_nobody_tells_anything_ends_by_itself() -> None:
    with FrontChild() as child:
        pass
    assert child.process.exitcode == 0


STARTED = """
import sys
from agents import front_child
from cli.main import main

class Seen(front_child.FrontChild):
    def __init__(self):
        print({"numpy", "config", "agents.replay"} & set(sys.modules))
        super().__init__()

if __name__ == "__main__":
    front_child.FrontChild = Seen
    main(["replay", "none.jsonl", "--processes", "2", "--out", "out"])
"""


def test_the_command_starts_it_before_it_imports_what_is_heavy(tmp_path: Path) -> None:
    (tmp_path / "started.py").write_text(STARTED)
    paths = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "started.py"]
    ran = subprocess.run(command, cwd=tmp_path, env=paths, capture_output=True, text=True)
    assert ran.stdout == "set()\n"
    assert "none.jsonl" in ran.stderr  # and the child told what it could not read
    assert "Traceback" not in ran.stderr


def test_it_imports_nothing_that_reads_settings() -> None:
    asked = (
        "import agents.front_process, sys; print({'pydantic', 'config.loading'} & set(sys.modules))"
    )
    paths = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    ran = subprocess.run([sys.executable, "-c", asked], env=paths, capture_output=True, text=True)
    assert ran.stdout == "set()\n"
