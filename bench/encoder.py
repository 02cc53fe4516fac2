"""The shipped encoder against its targets: speed, memory, retrieval, damage, stories.

    python -m bench.encoder [--shared DIR] [--speed-only]

Prints a Markdown table (figure, measured, target) and exits 1 when a target is missed. DIR holds
``data/parallel_test`` and ``data/labelled``. Speed is posts per second of processor time with one
BLAS thread, first pass over the texts (words not seen before), so that a busy machine counts less.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from embeddings import load_encoder, quality, speed
from embeddings.normalise import clean
from embeddings.train.card import STORY_FILES, damage_texts

# Must-reach figures of the encoder, and MiniLM's story AUC from the model card minus .02.
RETRIEVAL = {
    ("sib200_flores", "vi"): 0.90,
    ("ntrex", "vi"): 0.86,
    ("laser_tatoeba", "vi"): 0.83,
    ("sib200_flores", "vi-bare"): 0.84,
    ("ntrex", "vi-bare"): 0.78,
    ("laser_tatoeba", "vi-bare"): 0.71,
}
STORIES = {"rumours_en": 0.941, "breaking_news": 0.886}
POSTS_PER_S, LOAD_S, ADDED_MB, DAMAGE = 12_500.0, 0.3, 60.0, 0.85
Line = tuple[str, float, float | None, bool]


def main() -> int:
    """Measure, print, and say by the exit code whether every target is met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = Path(__file__).resolve().parents[1] / ".." / "shared"
    parser.add_argument("--shared", type=Path, default=default)
    parser.add_argument("--speed-only", action="store_true")
    given = parser.parse_args()
    data = given.shared / "data"
    if not (data / "labelled").is_dir():
        parser.error(f"{data} has no folder labelled; give --shared DIR")
    lines = speed_lines(data)
    if not given.speed_only:
        lines += quality_lines(data)
    print(f"`{load_encoder().identity}`\n\n| figure | measured | target |\n| --- | --- | --- |")
    for name, value, target, good in lines:
        wanted = "" if target is None else f"{target:g}{'' if good else ' (missed)'}"
        print(f"| {name} | {value:,.3f} | {wanted} |")
    return 0 if all(good for *_, good in lines) else 1


def at_least(name: str, value: float, target: float | None) -> Line:
    return name, value, target, target is None or value >= target


def at_most(name: str, value: float, target: float) -> Line:
    return name, value, target, value <= target


def speed_lines(data: Path) -> list[Line]:
    """Tokenise and embed at batch 256 over all of rumours_en, raw and as the embed stage cleans."""
    with gzip.open(data / "labelled" / "rumours_en.jsonl.gz", "rt", encoding="utf-8") as posts:
        raw = [json.loads(line)["text"] for line in posts]
    cleaned = [clean(text) for text in raw]
    held = speed.footprint(None, raw)
    encoder = load_encoder()
    cold = speed.measure(encoder, cleaned).posts_per_cpu_s
    warm = speed.measure(encoder, cleaned).posts_per_cpu_s
    with_links = speed.measure(encoder, raw).posts_per_cpu_s
    return [
        at_least("posts/s per core, cleaned, first pass", cold, POSTS_PER_S),
        at_least("posts/s per core, cleaned, words seen", warm, POSTS_PER_S),
        at_least("posts/s per core, raw with links", with_links, POSTS_PER_S),
        at_most("load, s of processor time", held["load_cpu_s"], LOAD_S),
        at_least("load, s of wall time (grows on a busy machine)", held["load_s"], None),
        at_most("added memory after all posts, MB", held["added_bytes"] / 1e6, ADDED_MB),
    ]


def quality_lines(data: Path) -> list[Line]:
    """Retrieval by language, damage, story AUC beside the lexical features."""
    encode = load_encoder().encode
    lines: list[Line] = []
    for name, row in quality.retrieval(encode, data / "parallel_test").items():
        for lang, value in row.items():
            lines.append(at_least(f"rank-1 {name} {lang}", value, RETRIEVAL.get((name, lang))))
    texts = damage_texts(data / "labelled")
    hurt = quality.damage(encode, texts)
    lines.append(at_least("median cosine, typed on a phone", hurt["phone"], DAMAGE))
    lines.append(at_least("median cosine, without marks", hurt["bare"], None))
    for name in STORY_FILES:
        posts, stories = quality.labelled(data / "labelled" / f"{name}.jsonl.gz")
        lexical = quality.lexical_auc(posts, stories)
        target = lexical if name == "news_vi" else STORIES.get(name)
        lines.append(
            at_least(f"story AUC {name}", quality.story_auc(encode(posts), stories), target)
        )
        lines.append(at_least(f"story AUC {name}, lexical alone", lexical, None))
    return lines


if __name__ == "__main__":
    sys.exit(main())
