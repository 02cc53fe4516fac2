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

LARGE = 16 << 20
"""Bytes in one piece. Below lies all that a portion needs for a moment, and to ask the system anew for that
costs 2 % of the time."""

_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1  # glibc's malloc.h

GIVEN_BACK = 8
"""Portions of a replay after which each of its processes returns free memory to the system."""


def collect_rarely() -> None:
    """From here on the cycle collector runs seldom; what is there now it never looks at again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, COLLECT_OLD_AFTER, COLLECT_OLD_AFTER)


def collect_young() -> None:
    """Free the cycles of late: they may hold messages of a megabyte, and few objects."""
    gc.collect(0)


def _of_the_c_library(name: str) -> Callable[..., int]:
    """A function of the C library, where it has it: glibc. Else one that does nothing."""
    try:
        function: Callable[..., int] = getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError, TypeError):
        return lambda *_: 0
    return function


_trimmed = _of_the_c_library("malloc_trim")
_option = _of_the_c_library("mallopt")


def give_back_large() -> None:
    """From here on what is LARGE goes back to the system at once: snapshots of a fold do. The C library
    learns to keep for the next one what was given back once."""
    _option(_MMAP_THRESHOLD, LARGE)
    _option(_TRIM_THRESHOLD, 4 * LARGE)  # smaller pieces are kept as long as they would be without


def give_back() -> None:
    """Return to the system what is free in this process. After a checkpoint that is tens of MB,
    which the C library would keep for the next one."""
    _trimmed(0)


def peak_rss_bytes() -> int:
    """The most memory that this process held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
