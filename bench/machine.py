"""What a figure was measured on, and what processes use."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from multiprocessing import active_children
from pathlib import Path
from typing import Any

_TICK = os.sysconf("SC_CLK_TCK")
_REPOSITORY = Path(__file__).resolve().parents[1]


def told() -> dict[str, Any]:
    """Machine, load, commit and date, for the JSON of a result."""
    commit = subprocess.run(
        ["git", "-C", str(_REPOSITORY), "rev-parse", "--short", "HEAD"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "load": round(os.getloadavg()[0], 1),  # of the last minute, what is measured included
        "commit": commit or "unknown",
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
    }


def processor_s() -> float:
    """Processor seconds of this process and the children that it has now."""
    used = 0.0
    for pid in ("self", *(child.pid for child in active_children())):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        used += (int(fields[11]) + int(fields[12])) / _TICK
    return used


def resident_mb() -> int:
    """MB that this process and its children hold now."""
    page, pages = os.sysconf("SC_PAGE_SIZE"), 0
    for pid in ("self", *(child.pid for child in active_children())):
        pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * page // 1_000_000
