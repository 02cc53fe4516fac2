"""How soon applied settings are in force on a running worker.

    python -m bench.settings [--metrics-port 9108] [--times 10]

Needs the workers of `tindon up` (or others) under the settings of the environment, as every command reads
them. Applies two versions in turn, that differ in one alert threshold, and ends with the first. A version is
in force when the worker's metrics tell it. Prints seconds from the call to then.
"""

from __future__ import annotations

import argparse
import re
import time
import urllib.request
from statistics import median

import config
from agents.applying import apply_on_kafka, change_of
from config.changing import changed

POLL_S = 0.02
GIVE_UP_S = 60.0


def main() -> None:
    asked = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    asked.add_argument("--metrics-port", type=int, default=9108)
    asked.add_argument("--times", type=int, default=10)
    given = asked.parse_args()
    first = config.load().settings
    posts = first.alert.suggest.min_posts + 1
    second = changed(first, {"alert.suggest.min_posts": posts}, "the bench")
    took = []
    for number in range(given.times):
        wanted = first if number % 2 else second
        change = change_of(wanted, who="bench", at=int(time.time() * 1000), why="bench.settings")
        began = time.monotonic()
        apply_on_kafka(wanted, change)
        while _told(given.metrics_port) != change.version:
            if time.monotonic() - began > GIVE_UP_S:
                raise SystemExit(f"not in force after {GIVE_UP_S:g} s")
            time.sleep(POLL_S)
        took.append(time.monotonic() - began)
    if given.times % 2:
        apply_on_kafka(first, change_of(first, who="bench", at=int(time.time() * 1000)))
    print(f"{len(took)} changes: median {median(took):.2f} s, longest {max(took):.2f} s")


def _told(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        found = re.search(r'tindon_settings_info\{[^}]*version="(\w+)"', answer.read().decode())
    return found[1] if found else ""


if __name__ == "__main__":
    main()
