"""TCP ports on the loopback address: which are free, and who holds one that is not."""

from __future__ import annotations

import errno
import os
import socket
from contextlib import ExitStack, suppress
from pathlib import Path

from deploy.local.errors import ServerError

HOST = "127.0.0.1"
_LISTEN = "0A"  # state column of /proc/net/tcp, proc(5)


def is_free(port: int) -> bool:
    """True when a server could listen on 127.0.0.1:port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the JVM does: connections in TIME_WAIT do not keep a port taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError as exc:
            if exc.errno == errno.EACCES:
                raise ServerError(f"port {port} needs root: choose one above 1023") from exc
            return False
    return True


def require_free(port: int, setting: str) -> None:
    """Raise ServerError naming the holder of a port and the setting that moves us off it."""
    if not 0 < port < 65536:
        raise ServerError(f"port {port} is not between 1 and 65535: set {setting}")
    if not is_free(port):
        raise ServerError(f"port {port} is taken by {holder(port)}: set {setting} or stop it")


def free_ports(count: int) -> list[int]:
    """Distinct ports that were free a moment ago (another process may still take one)."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind((HOST, 0))
        return [int(one.getsockname()[1]) for one in sockets]


def holder(port: int) -> str:
    """'pid 123 (java)', or 'another process' when /proc does not tell."""
    inodes = _listening_inodes(port)
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        if inodes & _sockets(process):
            with suppress(OSError):
                return f"pid {process.name} ({(process / 'comm').read_text().strip()})"
    return "another process"


def _sockets(process: Path) -> set[str]:
    """Inodes of the sockets that a process has open; empty for one of another user."""
    found = set()
    with suppress(OSError):
        for descriptor in (process / "fd").iterdir():
            with suppress(OSError):  # closed meanwhile
                link = os.readlink(descriptor)
                if link.startswith("socket:["):
                    found.add(link[len("socket:[") : -1])
    return found


def _listening_inodes(port: int) -> set[str]:
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            rows = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            fields = row.split()
            if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.add(fields[9])
    return inodes
