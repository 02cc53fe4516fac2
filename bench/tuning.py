"""Sweeps over labelled files: how long they take, and whether the choice holds on the held-out part.

    python -m bench.tuning FILE... --out DIR [--set NAME=VALUES]... [--jobs N]

For each file a study as `tindon tune` makes it. The choice is the one of the first part alone: the gate
that sends it back when its held-out gain lies within the band is left out here, because that gate could
not fail. Exit 1 when a choice loses more than .005 F1 on the held-out part of a file of 10,000 posts or
more, or when 64 combinations of such a file took more than 10 minutes (of the processes' own time, two
of them side by side: the clock on the wall of a busy machine says little).
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import time
from pathlib import Path

from config import defaults
from evaluation.tuning import report
from evaluation.tuning.frames import Reading
from evaluation.tuning.grid import axes_of, default_axes
from evaluation.tuning.results import results
from evaluation.tuning.study import Plan, run

MOST_LOSS = 0.005  # F1, the project's target
LARGE = 10_000  # posts from which it holds
MOST_SECONDS = 600.0  # for 64 combinations on two cores


def main() -> int:
    asked = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    asked.add_argument("files", nargs="+")
    asked.add_argument("--out", type=Path, required=True)
    asked.add_argument("--set", action="append", dest="sets")
    asked.add_argument("--jobs", type=int, default=0)
    given = asked.parse_args()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    settings = defaults().model_copy(update={"state_dir": given.out / "state"})
    axes = tuple(axes_of(given.sets or default_axes(settings), settings))
    missed = False
    for file in given.files:
        out = given.out / Path(file).name.split(".")[0]
        began, used = time.monotonic(), _processor_seconds()
        study = run(Plan(Reading((file,)), axes, settings, jobs=given.jobs), out)
        wall, spent = time.monotonic() - began, _processor_seconds() - used
        posts = study.split * 2
        slow = posts >= LARGE and spent / 2 > MOST_SECONDS * max(len(study.cells) / 64, 1.0)
        missed = missed or slow
        print(
            f"{Path(file).name}: {len(study.cells)} combinations, {wall:.0f} s by the clock, "
            f"{spent:.0f} s of processor, {spent / 2:.0f} s on two cores{' TOO SLOW' if slow else ''}"
        )
        for goal in ("rumor", "event"):
            told = results(study, goal)
            gain = told["choice"]["gain"]
            lost = posts >= LARGE and gain["held_out"]["value"] < -MOST_LOSS
            missed = missed or lost
            chosen = told["cells"][told["choice"]["chosen"]]["values"]
            print(
                f"  goal {goal}: chosen {chosen}; F1 {gain['first']['value']:+.4f} on the first part, "
                f"{gain['held_out']['value']:+.4f} held out "
                f"({gain['held_out']['low']:+.4f} to {gain['held_out']['high']:+.4f})"
                f"{' WORSE' if lost else ''}"
            )
            print(f"    {report.verdict(told)}")
        sys.stdout.flush()
    return int(missed)


def _processor_seconds() -> float:
    of = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in of)


if __name__ == "__main__":
    sys.exit(main())
