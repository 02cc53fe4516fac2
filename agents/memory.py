"""What a process asks of Python's memory."""

from __future__ import annotations

import ctypes
import gc
import resource
from collections.abc import Callable

COLLECT_AFTER = 100_000
"""New objects until the cycle collector looks at them. Python's own 700 cost a replay an eighth of
its time (bench/README.md): the folds hold many objects, and none of them lie in cycles."""

COLLECT_OLD_AFTER = 50
"""Collections of younger objects before one of older ones."""

GIVEN_BACK = 16
"""Portions of a replay after which each of its processes returns free memory to the system."""


def collect_rarely() -> None:
    """From here on the cycle collector runs seldom; what is there now it never looks at again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, COLLECT_OLD_AFTER, COLLECT_OLD_AFTER)


def collect_young() -> None:
    """Free the cycles of late: they may hold messages of a megabyte, and few objects."""
    gc.collect(0)


def _trim() -> Callable[[int], int]:
    """The C library's `malloc_trim`, where it has one: glibc."""
    try:
        trim: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return lambda _: 0
    return trim


_trimmed = _trim()


def give_back() -> None:
    """Return to the system what is free in this process. After a checkpoint that is tens of MB,
    which the C library would keep for the next one."""
    _trimmed(0)


def peak_rss_bytes() -> int:
    """The most memory that this process held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
