"""The log on standard error: plain lines for people, JSON lines for machines."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

# Other people's packages that speak at length below warning.
QUIET = ("aiokafka", "asyncio", "elastic_transport", "faust", "hpack", "httpx", "kafka", "mode")


class JsonLines(logging.Formatter):
    """One JSON object a line; field names follow ECS."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "@timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "log.level": record.levelname.lower(),
            "log.logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["error.stack_trace"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


def start_logging(level: str, json_lines: bool) -> None:
    """Send the log to standard error from `level` on; other people's packages from warning on."""
    stream = logging.StreamHandler()
    plain = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    stream.setFormatter(JsonLines() if json_lines else plain)
    logging.basicConfig(level=level.upper(), handlers=[stream], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
