"""What is free in a process goes back to the system."""

from __future__ import annotations

import platform
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from agents import embedded
from agents.embedded import EmbeddedRoad
from agents.front import Portion
from agents.memory import give_back
from streams.codec import pack_state
from streams.sqlite_database import Database
from tests.fold_scene import alert_fold, cluster_fold


def held() -> int:
    """Bytes of this process in memory now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library keeps less")
def test_what_is_free_goes_back() -> None:
    size, number = 4_000, 20_000  # too small to be given back by itself
    blocks = [b"x" * (size + n % 2) for n in range(number)]
    kept = blocks[::50]  # between what is freed, and behind it
    del blocks
    before = held()
    give_back()
    assert before - held() > size * number / 2
    assert len(kept) == number / 50


def test_it_does_so_after_a_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[int] = []
    monkeypatch.setattr(embedded, "give_back", lambda: given.append(road.next))
    snapshot = bytes(pack_state(cluster_fold().snapshot()))
    with Database(tmp_path / "road.sqlite") as database:
        road = EmbeddedRoad(database, alert_fold())
        for cluster in (None, snapshot, None):
            road.take(Portion(1, [b"a record"], [], [], cluster))
    assert given == [2]


_HELD = """
from pathlib import Path
from agents.memory import LARGE, give_back_large
page = 4096
def held():
    return int(Path("/proc/self/statm").read_text().split()[1]) * page
give_back_large()
before = held()
for _ in range(3):
    one = bytearray(b"x") * (LARGE + 1)
    assert held() - before > LARGE // 2
    del one
    assert held() - before < LARGE // 4, held() - before
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library keeps less")
def test_what_is_large_goes_back_at_once_each_time() -> None:
    subprocess.run([sys.executable, "-c", _HELD], check=True)
