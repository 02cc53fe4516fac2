"""The log of the client libraries, cut to what tells something: they repeat themselves ten times a second
while a broker is away."""

from __future__ import annotations

import logging
import time

EVERY_S = 30.0
"""The same message of the same library comes once in this time, with the count of those left out."""

LIBRARIES = ("aiokafka", "elastic_transport", "faust", "kafka", "mode", "streams.faust_transport")
MOST_KEPT = 512


class Repeats(logging.Filter):
    """Drops what a library said already a moment ago."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.split(".")[0] not in LIBRARIES and record.name not in LIBRARIES:
            return True
        key = (record.name, str(record.msg)[:80])
        at, left_out = self._said.get(key, (-EVERY_S, 0))
        now = time.monotonic()
        if now - at < EVERY_S:
            self._said[key] = (at, left_out + 1)
            return False
        if len(self._said) >= MOST_KEPT:
            self._said.clear()
        self._said[key] = (now, 0)
        if left_out:
            record.msg = f"{record.getMessage()} ({left_out} more of these)"
            record.args = ()
        return True


def quieten(logger: logging.Logger) -> None:
    """Rate-limit the client libraries in everything that this logger writes."""
    repeats = Repeats()
    for handler in logger.handlers:
        handler.addFilter(repeats)
