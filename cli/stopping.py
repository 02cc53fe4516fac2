"""How a long command is stopped: one line, whichever signal it was."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from cli.errors import Stopped


@contextmanager
def stopping(out: Path | None) -> Iterator[None]:
    """SIGTERM stops the work inside as Ctrl-C does; raises Stopped for both. `out`: what keeps it."""

    def stop(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except KeyboardInterrupt:
        raise Stopped(
            f"stopped; the same command goes on with what stands in {out}"
            if out is not None
            else "stopped; nothing is kept: with --out DIR the same command would go on"
        ) from None
    finally:
        signal.signal(signal.SIGTERM, before)
