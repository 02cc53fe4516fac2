"""What both local servers have in common: prepare, start, wait, stop."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from deploy.local import process
from deploy.local.accounts import Account, account
from deploy.local.errors import ServerError
from deploy.local.java import Java, find_java
from deploy.local.maven import Progress
from deploy.local.memory import heap_bytes, require_memory
from deploy.local.ports import is_free, require_free

_STOP_S = 30.0  # a server that has not ended by then is killed
_KILL_S = 10.0
_POLL_S = 0.2


def silent(_: str) -> None:
    """The progress callback of a caller that wants none."""


class Server(ABC):
    """One server with its files under a state folder.

    state/run/NAME.pid, state/config/NAME, state/data/NAME, state/logs/NAME, state/tmp/NAME.
    `start` returns before the server answers: `wait` for that.
    """

    name: ClassVar[str]
    title: ClassVar[str]

    def __init__(
        self, state_dir: Path, ports: dict[str, int], heap: str, java_options: Sequence[str]
    ) -> None:
        self.state_dir = Path(state_dir).absolute()
        self.ports = ports
        self.heap = heap
        self.java_options = tuple(java_options)
        heap_bytes(heap)  # a size that cannot be read is refused here

    @property
    def data(self) -> Path:
        return self.state_dir / "data" / self.name

    @property
    def config(self) -> Path:
        return self.state_dir / "config" / self.name

    @property
    def logs(self) -> Path:
        return self.state_dir / "logs" / self.name

    @property
    def temporary(self) -> Path:
        return self.state_dir / "tmp" / self.name

    @property
    def console(self) -> Path:
        """What the process itself printed; the server's own logs stand beside it."""
        return self.logs / "console.log"

    def ensure(self, progress: Progress = silent) -> None:
        """Have Java and the server's files; downloads them once. Raises ServerError."""
        find_java(self._java_minimum())
        self._files(progress)

    def start(self, progress: Progress = silent) -> None:
        """Start the server unless it runs. Raises ServerError with the mend."""
        with self._locked():
            running = self._running_record()
            if running is not None:
                self._require_same_ports(running)
                return
            for setting, port in self.ports.items():
                require_free(port, setting)
            require_memory(self.heap, self.title, f"{self.name}.heap")
            java = find_java(self._java_minimum())
            self._files(progress)
            owner = self._prepare_folders()
            owner.require_reach(java.home)
            argv, environ = self._prepare(java, owner, progress)
            progress(f"starting {self.title}")
            command = owner.command([_env(), "--chdir", str(self.temporary), *argv])
            inherited = {k: v for k, v in os.environ.items() if not _CHANGES_JAVA.match(k)}
            self._forget()
            process.spawn(command, {**inherited, **environ}, self.console, self.ports).save(
                self._record_path
            )

    def wait(self, timeout: float = 90.0, progress: Progress = silent) -> None:
        """Return when the server answers; raise ServerError when it ended or time is up."""
        began = time.monotonic()
        while not self.healthy():
            waited = time.monotonic() - began
            if not self.running():
                raise ServerError(
                    f"{self.title} ended at start ({self._last_words()}){self._see()}"
                )
            if waited > timeout:
                raise ServerError(
                    f"{self.title} did not answer within {timeout:.0f} s "
                    f"({self._last_words()}){self._see()}"
                )
            progress(f"waiting for {self.title}: {waited:.0f} s")
            time.sleep(_POLL_S)

    def stop(self, progress: Progress = silent) -> None:
        """End the server gracefully, by force after 30 s; nothing to do when it does not run."""
        self._end(signal.SIGTERM, _STOP_S, progress)

    def kill(self) -> None:
        """End the server as kill -9 does, for tests of faults; its data stays as it is."""
        self._end(signal.SIGKILL, _KILL_S, silent)

    def running(self) -> bool:
        """True while a process that `start` started is alive."""
        return self._running_record() is not None

    @abstractmethod
    def healthy(self) -> bool:
        """True when the server answers requests on its port now."""

    @abstractmethod
    def _java_minimum(self) -> int:
        """Major version of the oldest Java that runs this server."""

    @abstractmethod
    def _files(self, progress: Progress) -> None:
        """Have the server's files in the cache."""

    @abstractmethod
    def _prepare(
        self, java: Java, owner: Account, progress: Progress
    ) -> tuple[Sequence[str], dict[str, str]]:
        """Write the configuration; the command line and environment that start the server."""

    @property
    def _record_path(self) -> Path:
        return self.state_dir / "run" / f"{self.name}.pid"

    def _running_record(self) -> process.Record | None:
        record = process.read_record(self._record_path)
        return record if record is not None and process.members(record) else None

    def _require_same_ports(self, running: process.Record) -> None:
        if running.ports != self.ports:
            held = ", ".join(f"{setting} {port}" for setting, port in running.ports.items())
            raise ServerError(f"{self.title} runs already with {held}: stop it first")

    def _forget(self) -> None:
        self._record_path.unlink(missing_ok=True)

    def _end(self, number: signal.Signals, timeout: float, progress: Progress) -> None:
        if not self._record_path.exists():
            return
        with self._locked():
            record = self._running_record()
            if record is not None:
                progress(f"stopping {self.title}")
                if not process.end(record, number, timeout):
                    progress(f"killing {self.title}")
                    if not process.end(record, signal.SIGKILL, _KILL_S):
                        left = " ".join(map(str, process.members(record)))
                        raise ServerError(f"{self.title} does not end: see process {left}")
                self._wait_for_ports()
            self._forget()

    def _wait_for_ports(self) -> None:
        deadline = time.monotonic() + _KILL_S
        while not all(is_free(port) for port in self.ports.values()):
            if time.monotonic() > deadline:
                return  # somebody else took the port; ours has ended
            time.sleep(_POLL_S)

    def _prepare_folders(self) -> Account:
        owner = account(f"tindon-{self.name}")
        try:
            shutil.rmtree(self.temporary, ignore_errors=True)
            for folder in (self.data, self.config, self.logs, self.temporary):
                owner.own(folder)
        except OSError as exc:
            raise ServerError(
                f"cannot write to {exc.filename} ({exc.strerror}): choose another state folder"
            ) from exc
        for folder in (self.data, self.config, self.logs, self.temporary):
            owner.require_reach(folder)
        return owner

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold off another start or stop of the same server."""
        folder = self._record_path.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle = (folder / f"{self.name}.lock").open("w")
        except OSError as exc:
            raise ServerError(
                f"cannot write to {folder} ({exc.strerror}): choose another state folder"
            ) from exc
        with handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def _last_words(self) -> str:
        try:
            return telling_line(self.console.read_text(errors="replace"))
        except OSError:
            return "it wrote no log"

    def _see(self) -> str:
        return f": see {self.logs}"


# Settings of the caller's environment that would change a server's JVM behind our back.
_CHANGES_JAVA = re.compile(r"(ES|KAFKA|LOG4J)_|JAVA_TOOL_OPTIONS$|_JAVA_OPTIONS$|CLASSPATH$")
_TELLING = re.compile(r"ERROR|FATAL|Exception|error:|fatal")


def telling_line(output: str) -> str:
    """The line of a server's output that most likely says why it failed, at most 300 characters."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    telling = [line for line in lines if _TELLING.search(line)] or lines
    return telling[-1][:300] if telling else "no output"


def _env() -> str:
    found = shutil.which("env")
    if found is None:
        raise ServerError("env is missing: install coreutils")
    return found
