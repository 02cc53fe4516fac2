"""Write the scenario as JSON lines: ``python -m streams.sources.scenario --out FILE``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from streams.sources.scenario import BANKS, TOLD, generate, stories, truth


def lines(seed: int, bank: str, labelled: bool) -> Iterator[str]:
    """The posts as JSON lines; labelled ones carry ``cluster`` (null: no rumor) and ``label``."""
    told = {story.id for story in stories(bank) if story.kind in TOLD}
    truths = truth(seed, bank)
    for post in generate(seed, bank=bank):
        if labelled:
            real = truths[post["id"]]
            post["cluster"] = real.story if real.story in told else None
            post["label"] = real.role
        yield json.dumps(post, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, write, and say in one line what was written or what is wrong."""
    parser = argparse.ArgumentParser(prog="python -m streams.sources.scenario", description=__doc__)
    parser.add_argument("--out", required=True, help="file to write, - for standard output")
    parser.add_argument("--labelled", action="store_true", help="add the fields cluster and label")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--bank", choices=BANKS, default=BANKS[0])
    options = parser.parse_args(arguments)
    written = list(lines(options.seed, options.bank, options.labelled))
    if options.out == "-":
        sys.stdout.writelines(written)
        return 0
    try:
        with Path(options.out).open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(written)
    except OSError as error:
        print(f"cannot write {options.out}: {error.strerror}; name another --out", file=sys.stderr)
        return 1
    print(f"{len(written)} invented posts written to {options.out}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
