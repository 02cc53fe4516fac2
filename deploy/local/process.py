"""Detached processes, remembered in a file so that another command can end them.

A started command leads its own session. Its record holds its process id, its start time and a
token that stands in the environment of everything it starts; only a process of that session with
that start time or that token is ever signalled, so a process id that the system gave to somebody
else meanwhile is safe.
Linux only: it reads /proc.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.local.errors import ServerError

_TOKEN = "TINDON_SERVER_TOKEN"


@dataclass(frozen=True)
class Record:
    """One started command, as kept in its .pid file."""

    pid: int  # process, process group and session
    started: int  # clock ticks since boot, field 22 of /proc/PID/stat
    token: str
    ports: dict[str, int]  # setting name -> port

    def save(self, path: Path) -> None:
        partial = path.with_suffix(".tmp")
        partial.write_text(json.dumps(asdict(self)) + "\n")
        partial.replace(path)


def read_record(path: Path) -> Record | None:
    """The record in a file; None when there is none that can be read."""
    try:
        return Record(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def spawn(
    argv: Sequence[str], environ: Mapping[str, str], output: Path, ports: Mapping[str, int]
) -> Record:
    """Start argv in a session of its own, with its output in a file, and do not wait for it."""
    if not Path("/proc/self/stat").exists():
        raise ServerError("local servers need Linux: use compose, or servers of your own")
    token = secrets.token_hex(16)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    pid = os.posix_spawn(
        argv[0],
        list(argv),
        {**environ, _TOKEN: token},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(output), flags, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
        setsigmask=[],
        setsigdef=[signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE],
    )
    stat = _stat(pid)
    return Record(pid, stat.started if stat else 0, token, dict(ports))


def members(record: Record) -> list[int]:
    """Process ids that are alive and belong to a record."""
    with contextlib.suppress(ChildProcessError):  # reap it if it was our child
        os.waitpid(record.pid, os.WNOHANG)
    alive = []
    for pid in _pids():
        stat = _stat(pid)
        if stat is None or stat.session != record.pid or stat.state in "ZX":
            continue
        # The leader is known by its start time: its environment cannot be read while it replaces
        # itself by another program (a shell by java). What it started is known by the token.
        leads = pid == record.pid and stat.started == record.started
        if leads or _has_token(pid, record.token):
            alive.append(pid)
    return alive


def end(record: Record, number: signal.Signals, timeout: float) -> bool:
    """Signal all of a record's processes and wait; True when none is left."""
    for pid in members(record):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
    deadline = time.monotonic() + timeout
    while members(record):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@dataclass(frozen=True)
class _Stat:
    state: str
    session: int
    started: int


def _pids() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdigit())


def _stat(pid: int) -> _Stat | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the name before it may hold anything
    return _Stat(fields[0], int(fields[3]), int(fields[19]))


def _has_token(pid: int, token: str) -> bool:
    try:
        environ = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False
    return f"{_TOKEN}={token}".encode() in environ.split(b"\0")
