"""Both folds and their peers on labelled streams: one command, one table.

    python -m bench.clustering [--shared DIR] [--files NAME ...] [--only NAME ...] [--out DIR]
    python -m bench.clustering ablation [--shared DIR] [--files NAME ...]
    python -m bench.clustering halves [--shared DIR] [--files NAME ...]
    python -m bench.clustering streams [--shared DIR]

Tindon runs with its one default setting on every file, through the real folds. Each peer gets, for each
file, the threshold that is best on the first half of that file. Slow peers run on a prefix, whose length
stands in the table. Speed is posts per second of processor time, features and vectors of all excluded for
Tindon, TF-IDF's counting included; MiniLM's encoding excluded. Cells are kept in bench/out/cells by version
of the program's sources: an interrupted run goes on.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from bench.clustering.cells import OURS, cell
from bench.clustering.ours import OUT
from bench.clustering.peers import PEERS
from bench.clustering.table import curves, markdown

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCES = (".py", ".yaml")
FILES = (
    "rumours_en", "rumours_en_noisy", "scale_en", "multilingual", "news_vi", "breaking_news",
)  # fmt: skip


def main() -> int:
    """Run what is lacking, print the table, write it, its JSON and the curves."""
    parser = argparse.ArgumentParser(prog="python -m bench.clustering", description=__doc__)
    parser.add_argument(
        "what", nargs="?", choices=("table", "ablation", "halves", "streams"), default="table"
    )
    parser.add_argument("--shared", type=Path, default=REPOSITORY.parent / "shared")
    parser.add_argument("--files", nargs="+")
    parser.add_argument("--only", nargs="+", default=(OURS, *(p.name for p in PEERS)))
    parser.add_argument("--out", type=Path, default=OUT / "clustering")
    given = parser.parse_args()
    labelled = given.shared / "data/labelled"
    if not labelled.is_dir():
        parser.error(f"{labelled} is missing; give --shared DIR")
    if given.what == "ablation":
        from bench.clustering.ablation import FILES as ABLATED
        from bench.clustering.ablation import ablation

        ablation(given.shared, tuple(given.files or ABLATED), pairs=given.files is None)
        return 0
    if given.what == "halves":
        from bench.clustering.held_out import halves

        for file in given.files or ("rumours_en",):
            print(halves(labelled / f"{file}.jsonl.gz"))
        return 0
    if given.what == "streams":
        from bench.clustering.constructed import measure

        print(measure(given.shared, OUT / "streams"))
        return 0
    cells = []
    for file in given.files or FILES:
        for name in (n for n in (OURS, *(p.name for p in PEERS)) if n in given.only):
            print(f"{file}: {name}", file=sys.stderr, flush=True)
            cells.append(cell(labelled / f"{file}.jsonl.gz", name, _version(name)))
    given.out.mkdir(parents=True, exist_ok=True)
    text = markdown(cells)
    (given.out / "table.md").write_text(text + "\n", encoding="utf-8")
    (given.out / "table.json").write_text(json.dumps(cells, indent=1) + "\n", encoding="utf-8")
    curves(cells, given.out / "curves.png")
    print(text)
    print(f"\nalso {given.out}/table.json and curves.png", file=sys.stderr)
    return 0


def _version(name: str) -> str:
    """Of the sources that decide a cell: after a change of them it is run anew."""
    digest = hashlib.blake2b(digest_size=6)
    paths = [
        REPOSITORY / f"bench/clustering/{part}.py"
        for part in ("cells", "held_out", "ours", "peers")
    ]
    if name == OURS:
        for folder in ("clusters", "alerts", "embeddings", "config", "streams"):
            paths += sorted(p for p in (REPOSITORY / folder).rglob("*") if p.suffix in SOURCES)
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()


if __name__ == "__main__":
    sys.exit(main())
