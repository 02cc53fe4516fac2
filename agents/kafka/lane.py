"""A thread beside the event loop, for what computes or waits long: embedding, folding, the store."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
Job = tuple[asyncio.AbstractEventLoop, "asyncio.Future[Any]", Callable[[], Any]]


class Lane:
    """Calls functions one after the other in a thread of its own.

    The thread is a daemon, unlike those of an executor: a store that does not answer must not hold up
    the end of the process.
    """

    def __init__(self, name: str) -> None:
        self._jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
        threading.Thread(target=self._work, name=name, daemon=True).start()

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """The function's result; its exception is raised here."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        self._jobs.put((loop, answer, lambda: function(*arguments)))
        return await answer

    def _work(self) -> None:
        while True:
            loop, answer, call = self._jobs.get()
            if answer.cancelled():
                continue
            try:
                result, error = call(), None
            except Exception as caught:
                result, error = None, caught
            if not loop.is_closed():
                loop.call_soon_threadsafe(_settle, answer, result, error)
            del answer, call, result, error  # nothing of a finished job is kept while waiting


def _settle(answer: asyncio.Future[Any], result: Any, error: Exception | None) -> None:
    if answer.cancelled():
        return
    if error is None:
        answer.set_result(result)
    else:
        answer.set_exception(error)
