"""Sizes of heaps, and whether this machine has room for one more."""

from __future__ import annotations

import re
from pathlib import Path

from deploy.local.errors import ServerError

_UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}

# What a JVM takes beside its heap (metaspace, threads, buffers): resident size less -Xmx of
# both servers at rest, rounded up.
OUTSIDE_HEAP_BYTES = 300 << 20


def heap_bytes(heap: str) -> int:
    """Bytes of a JVM heap size such as 512m or 1g."""
    match = re.fullmatch(r"([1-9][0-9]*)([kmgKMG])", heap)
    if match is None:
        raise ServerError(f"heap {heap!r} is not a size: write it as 512m or 1g")
    return int(match[1]) * _UNITS[match[2].lower()]


def available_bytes() -> int | None:
    """Memory that a new process can take, the smaller of machine and cgroup; None if unknown."""
    bounds = [bound for bound in (_of_machine(), _of_cgroup()) if bound is not None]
    return min(bounds, default=None)


def require_memory(heap: str, server: str, setting: str) -> None:
    """Raise ServerError when the machine has no room for a server with this heap."""
    needed = heap_bytes(heap) + OUTSIDE_HEAP_BYTES
    available = available_bytes()
    if available is not None and available < needed:
        raise ServerError(
            f"{server} needs {needed >> 20} MiB and {available >> 20} MiB are free: "
            f"set {setting} lower or stop something"
        )


def _of_machine() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) << 10
    return None


def _of_cgroup() -> int | None:
    folder = Path("/sys/fs/cgroup")
    try:
        limit = (folder / "memory.max").read_text().strip()
        used = int((folder / "memory.current").read_text())
    except (OSError, ValueError):
        return None
    return None if limit == "max" else max(0, int(limit) - used)
