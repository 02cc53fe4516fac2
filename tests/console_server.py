"""A console on a free port of this machine, served by the real server in a thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.applications import Starlette

from console.serving import open_socket, server


@contextmanager
def served(app: Starlette) -> Iterator[str]:
    """The console's address while it runs."""
    listener = open_socket("127.0.0.1", 0)
    running = server(app, "127.0.0.1")
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not running.started:
        assert thread.is_alive() and time.monotonic() < deadline, "the console did not start"
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        running.should_exit = True
        thread.join(10)
        listener.close()
        assert not thread.is_alive(), "the console did not stop"
