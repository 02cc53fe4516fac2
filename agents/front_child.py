"""The child of a large replay, from its start to its end; nothing heavy is imported here.

A command starts it before it imports what it needs itself: both then start at the same time.
"""

from __future__ import annotations

import os
import signal
from contextlib import AbstractContextManager, nullcontext
from multiprocessing import get_context
from multiprocessing.connection import Connection
from types import TracebackType

from streams.sources.lines import STDIN

LARGE_BYTES = 4_000_000
"""Of input from which on two processes are faster: the second one needs half a second to start."""


class FrontChild:
    """A process that waits to be told what to read; `agents.front_process` speaks to it.

    Leaving the context ends it: at once after an error, else when it has seen that nobody asks.
    """

    def __init__(self) -> None:
        # A fresh interpreter: a fork would copy locks that threads of this one may hold.
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(
            target=_start, args=(theirs,), name="tindon-front", daemon=True
        )
        self.process.start()
        theirs.close()  # so that its end is seen here as the end of the messages

    def __enter__(self) -> FrontChild:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.connection.close()
        if kind is not None:
            self.process.terminate()
        self.process.join()


def _start(connection: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    from agents.front_process import work

    work(connection)


def processes_for(paths: list[str], given: int | None) -> int:
    """One or two, if not given: large files deserve a second one, where there is a processor for it.

    Standard input is read by this process, a child has none.
    """
    if STDIN in paths:
        return 1
    if given is not None:
        return given
    try:
        size = sum(os.path.getsize(path) * (5 if path.endswith(".gz") else 1) for path in paths)
    except OSError:  # whoever reads it says what is wrong
        return 1
    return 2 if size >= LARGE_BYTES and len(os.sched_getaffinity(0)) > 1 else 1


def started_for(
    paths: list[str], processes: int | None
) -> AbstractContextManager[FrontChild | None]:
    """A child that starts now, if a replay of these files will have one."""
    return FrontChild() if processes_for(paths, processes) == 2 else nullcontext()
