"""Commands of ours as detached processes: the worker and the console of `tindon up`."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from cli.errors import UserError
from deploy.local import process
from deploy.local.server import telling_line

STOP_S = 10.0
"""A worker saves its folds and ends within 5 s; what has not ended after twice that is killed."""
KILL_S = 5.0
POLL_S = 0.2

LAST_WORD = re.compile(r"tindon: |[A-Za-z_.]+(Error|Exception): ")
"""The one line of an error that a user can mend, or the end of a traceback."""

Said = Callable[[str], None]


class Process:
    """One command, remembered with process id and start time in STATE/run/NAME.pid.

    What it says goes to STATE/log/NAME.log; the log of the run before becomes NAME.log.1.
    """

    def __init__(
        self,
        name: str,
        title: str,
        arguments: Sequence[str],
        state_dir: Path,
        ports: Mapping[str, int],
        environment: Mapping[str, str],
    ) -> None:
        self.name = name
        self.title = title
        self.ports = dict(ports)
        self.log = state_dir / "log" / f"{name}.log"
        self._arguments = list(arguments)
        self._environment = environment
        self._pid_file = state_dir / "run" / f"{name}.pid"

    @property
    def record(self) -> process.Record | None:
        """What is remembered of a process that still runs."""
        found = process.read_record(self._pid_file)
        return found if found is not None and process.members(found) else None

    def ended(self) -> bool:
        """True when it was started, never stopped, and runs no more."""
        return self._pid_file.exists() and self.record is None

    def start(self) -> None:
        """Start it and return at once; the caller has seen that it does not run."""
        for folder in (self.log.parent, self._pid_file.parent):
            folder.mkdir(parents=True, exist_ok=True)
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".log.1"))
        self._pid_file.unlink(missing_ok=True)
        # -P: a folder named `cli` where the user stands is not ours.
        command = [sys.executable, "-P", "-m", "cli.main", *self._arguments]
        environment = {**os.environ, **self._environment}
        process.spawn(command, environment, self.log, self.ports).save(self._pid_file)

    def wait(self, ready: Callable[[], bool], timeout: float, said: Said) -> None:
        """Return when `ready` says so. Raises UserError when the process ends or time is up."""
        began = time.monotonic()
        while not ready():
            waited = time.monotonic() - began
            if self.record is None:
                raise UserError(f"{self.title} ended at start: {self.last_words()}; see {self.log}")
            if waited > timeout:
                raise UserError(
                    f"{self.title} was not ready within {timeout:.0f} s ({self.last_words()}): "
                    f"give it more with --wait, or see {self.log}"
                )
            said(f"waiting for {self.title}: {waited:.0f} s")
            time.sleep(POLL_S)

    def stop(self, said: Said) -> bool:
        """End it, by force when it takes too long; True when there was one to end."""
        found = self.record
        if found is not None:
            said(f"stopping {self.title}")
            if not process.end(found, signal.SIGTERM, STOP_S):
                said(f"killing {self.title}")
                if not process.end(found, signal.SIGKILL, KILL_S):
                    left = " ".join(map(str, process.members(found)))
                    raise UserError(f"{self.title} does not end: look at process {left}")
        self._pid_file.unlink(missing_ok=True)
        return found is not None

    def last_words(self) -> str:
        """The line of its log that most likely says why it ended."""
        try:
            text = self.log.read_text(errors="replace")
        except OSError:
            return "it wrote no log"
        own = [line for line in text.splitlines() if LAST_WORD.match(line)]
        return own[-1].removeprefix("tindon: ")[:300] if own else telling_line(text)
