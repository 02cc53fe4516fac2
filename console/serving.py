"""Serves the console over HTTP."""

from __future__ import annotations

import errno
import socket

import uvicorn
from starlette.applications import Starlette

from console.guard import LOOPBACK_NAMES, is_loopback


class ConsoleError(Exception):
    """The console could not start; the message is one line that tells the mend."""


def open_socket(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. ConsoleError names the port and the mend."""
    where = f"port {port} on {host}"
    if not 0 <= port <= 65535:  # the system takes it modulo 65536 and says nothing
        raise ConsoleError(f"there is no port {port}: choose one from 1024 to 65535")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise ConsoleError(
            f"cannot listen on {host}: no such address; use 127.0.0.1 or an address of this machine"
        ) from error
    family, kind, protocol, _, address = found[0]
    # Named as TCP, because only then asyncio switches Nagle's delay off: 40 ms an answer.
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise ConsoleError(
                f"{where} is taken: stop what listens there, or choose another port"
            ) from error
        if error.errno == errno.EACCES:
            raise ConsoleError(f"{where} needs root: choose a port from 1024 to 65535") from error
        if error.errno == errno.EADDRNOTAVAIL:
            raise ConsoleError(f"{host} is no address of this machine: use 127.0.0.1") from error
        raise ConsoleError(f"cannot listen on {where}: choose a port from 1024 to 65535") from error
    return listener


def server(app: Starlette, host: str) -> uvicorn.Server:
    """A server for `app`, to be run on a socket of `open_socket` for the same host."""
    app.state.hosts = LOOPBACK_NAMES if is_loopback(host) else None
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=2,
    )
    return uvicorn.Server(config)


def serve(app: Starlette, host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM. Raises ConsoleError at once when the port cannot be had."""
    listener = open_socket(host, port)
    try:
        server(app, host).run(sockets=[listener])
    finally:
        listener.close()
