"""Who works in a folder: one process at a time writes a replay's log, others leave it word."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = "tindon.lock"


@contextmanager
def holding(folder: Path) -> Iterator[bool]:
    """Whether this process has the folder to itself while the context lasts.

    The system lets go when a process ends, however it ends; the file itself means nothing.
    """
    file = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(file)
