"""What a long command says while it works: one changing line on a terminal, log lines in a pipe."""

from __future__ import annotations

import logging
import sys
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.status import Status

log = logging.getLogger("tindon")


class Progress:
    """A context; call it with each step's text. On a terminal the text goes when it ends."""

    def __init__(self) -> None:
        self._status: Status | None = None

    def __enter__(self) -> Progress:
        if sys.stderr.isatty():
            from rich.console import Console

            self._status = Console(stderr=True).status("")
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def __call__(self, text: str) -> None:
        if self._status is not None:
            self._status.update(text)
        elif not text.startswith("waiting "):  # told several times a second
            log.info(text)

    def line(self, text: str) -> None:
        """Print a line that stays, on standard output."""
        if self._status is not None:
            self._status.stop()  # else it would be drawn over
        print(text, flush=True)
        if self._status is not None:
            self._status.start()
