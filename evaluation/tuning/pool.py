"""A few processes for long pure work; nothing of it outlives this one."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection
from typing import Any

from evaluation.errors import EvaluationError

Name = tuple[str, str]


class Pool:
    """A context. `submit` names a piece of work, `done` gives the names as they are finished.

    `begin(argument)` runs once in each process. Leaving it in any way ends the processes: work that
    was cut short leaves no file, since results are written beside their place and renamed.
    """

    def __init__(self, processes: int, begin: Callable[[Any], None], argument: Any) -> None:
        # Fresh processes: a fork would copy locks that another thread of this process may hold.
        self._executor = ProcessPoolExecutor(
            processes,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_start,
            initargs=(begin, argument),
        )
        self._names: dict[Future[None], Name] = {}

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        processes = list((self._executor._processes or {}).values())
        manager: threading.Thread | None
        manager = self._executor._executor_manager_thread  # type: ignore[assignment]
        if kind is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
            for process in processes:
                process.terminate()
            for process in processes:
                process.join()
            if manager is not None:  # at its end the interpreter would write into what it closes
                manager.join()
        else:
            self._executor.shutdown()

    def submit(self, name: Name, work: Callable[..., None], *arguments: Any) -> None:
        self._names[self._executor.submit(work, *arguments)] = name

    def done(self) -> Iterator[Name]:
        """Names of finished work, until there is none left. Raises what a piece of work raised."""
        try:
            while self._names:
                finished, _ = wait(self._names, return_when=FIRST_COMPLETED)
                for future in finished:
                    future.result()
                    yield self._names.pop(future)
        except BrokenProcessPool:
            raise EvaluationError(
                "a process of the study was ended from outside, perhaps for want of memory: "
                "run the same command again, with fewer --jobs; what was finished stays"
            ) from None


def _start(begin: Callable[[Any], None], argument: Any) -> None:
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C reaches the parent, which ends this process
    threading.Thread(target=_end_with_parent, daemon=True).start()
    begin(argument)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
