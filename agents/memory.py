"""What a process asks of Python's memory."""

from __future__ import annotations

import gc
import resource

COLLECT_AFTER = 100_000
"""New objects until the cycle collector looks at them. Python's own 700 cost a replay an eighth of
its time (bench/README.md): the folds hold many objects, and none of them lie in cycles."""

COLLECT_OLD_AFTER = 50
"""Collections of younger objects before one of older ones."""


def collect_rarely() -> None:
    """From here on the cycle collector runs seldom; what is there now it never looks at again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, COLLECT_OLD_AFTER, COLLECT_OLD_AFTER)


def peak_rss_bytes() -> int:
    """The most memory that this process held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
