"""The door's figures: languages told right, flags by kind of post, what is masked, time per post.

    python -m bench.door [--shared DIR]

Prints the Markdown tables of docs/intake.md. DIR holds ``data/labelled``; ``data/parallel`` and
``data/parallel_test`` are used for other languages where they lie there. Times are processor time
of one core in batches of 256, second pass, so that a busy machine counts less.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from embeddings import flags, language
from embeddings.door import Admitted, Door, build_frame
from embeddings.features import features, wording, words_of
from embeddings.mask import mask
from embeddings.normalise import clean, fold
from streams.records import Flag
from streams.sources.files import read_files
from streams.validation import InputRecord, IntakeRules, check

LABELLED = ("rumours_en", "multilingual", "chatter_vi", "posts_vi", "fake_vi", "news_vi")
SENTENCES = (
    "parallel/talpco parallel/ud_pud parallel/stsb_multi_mt parallel_test/test_sib200_flores"
    " parallel/l10n_strings"
)
PER_LANGUAGE = 6_000  # sentences
TIMED_POSTS = 6_000
BATCH = 256


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = Path(__file__).resolve().parents[1] / ".." / "shared"
    parser.add_argument("--shared", type=Path, default=default)
    data = parser.parse_args().shared / "data"
    if not (data / "labelled").is_dir():
        parser.error(f"{data} has no folder labelled; give --shared DIR")
    texts = {name: list(posts(data, name)) for name in LABELLED}
    print_languages(data, texts)
    print_flags(texts)
    print_masks(texts)
    for name in ("rumours_en", "chatter_vi", "posts_vi"):
        print_times(data, name)
    return 0


def posts(data: Path, name: str) -> Iterator[str]:
    """The texts of a labelled file."""
    with gzip.open(data / "labelled" / f"{name}.jsonl.gz", "rt") as file:
        for line in file:
            yield json.loads(line)["text"]


def read(text: str) -> tuple[str, list[str]]:
    """Cleaned text and words, as the door sees them."""
    cleaned = clean(mask(text))
    return cleaned, words_of(fold(cleaned))


def print_languages(data: Path, texts: dict[str, list[str]]) -> None:
    """Shares of each language told right, "und", and called Vietnamese by mistake."""
    by: dict[tuple[str, str], list[str]] = {
        ("chatter_vi", "vi"): texts["chatter_vi"],
        ("posts_vi", "vi"): texts["posts_vi"],
        ("rumours_en", "en"): texts["rumours_en"],
    }
    for name in ("chatter_vi", "posts_vi"):
        by[f"{name}, no diacritics", "vi"] = [fold(clean(text)) for text in texts[name]]
    sentences: dict[str, list[str]] = defaultdict(list)
    for name in SENTENCES.split():
        if not (data / f"{name}.tsv.gz").is_file():
            continue
        with gzip.open(data / f"{name}.tsv.gz", "rt") as file:
            for line in file:
                code, _, text = line.rstrip("\n").split("\t")[1:4]
                if len(sentences[code]) < PER_LANGUAGE:
                    sentences[code].append(text)
    by |= {("sentences", code): found for code, found in sorted(sentences.items())}
    print(
        "\n| texts | language | n | told right | und | called vi |\n|---|---|---:|---:|---:|---:|"
    )
    for (name, code), found in by.items():
        told = Counter(language.detect(*read(text)) for text in found)
        shares = [told[answer] / len(found) for answer in (code, "und", "vi")]
        print(
            f"| {name} | {code} | {len(found)} | " + " | ".join(f"{s:.2%}" for s in shares) + " |"
        )


def print_flags(texts: dict[str, list[str]]) -> None:
    """Share of posts with each flag."""
    lexicons = flags.load()
    names = [flag.name.lower() for flag in Flag if flag.name]
    print(
        f"\n{lexicons.size} phrases\n\n| texts | {' | '.join(names)} |\n|---|"
        + "---:|" * len(names)
    )
    for name, found in texts.items():
        counts: Counter[Flag] = Counter()
        for text in found:
            cleaned, words = read(text)
            counts.update(Flag(lexicons.flags(words, cleaned)))
        row = [f"{counts[flag] / len(found):.2%}" for flag in Flag]
        print(f"| {name} | {' | '.join(row)} |")


def print_masks(texts: dict[str, list[str]]) -> None:
    """Numbers of persons found in public posts."""
    tokens = ("phone", "email", "id", "account", "plate", "user")
    pattern = re.compile(r"\[(" + "|".join(tokens) + r")\]")
    print(f"\n| texts | posts | {' | '.join(tokens)} |\n|---|---:|" + "---:|" * len(tokens))
    for name, found in texts.items():
        counts = Counter(token for text in found for token in pattern.findall(mask(text)))
        print(f"| {name} | {len(found)} | {' | '.join(str(counts[t]) for t in tokens)} |")


def print_times(data: Path, name: str) -> None:
    """Microseconds per post and stage."""
    rules = IntakeRules(future_ms=None)
    path = data / "labelled" / f"{name}.jsonl.gz"
    records = list(read_files([path], rules=rules, assume_rate=1000))[:TIMED_POSTS]
    door = Door(key=b"bench", rules=rules)
    found = [door.admit(record) for record in records]
    kept = [one for one in found if isinstance(one, Admitted)]
    raw = [json.loads(record.raw)["text"][:10_000] for record in records]
    cleaned = [one.reading.cleaned for one in kept]
    folded = [one.reading.folded for one in kept]
    words = [words_of(text) for text in folded]
    batches = [folded[i : i + BATCH] for i in range(0, len(folded), BATCH)]

    def frames(first: int) -> object:
        nonlocal door
        if not first:
            door = Door(key=b"bench", rules=rules)  # with empty caches
        part: list[tuple[int, InputRecord]] = list(enumerate(records[first : first + BATCH]))
        return build_frame(door, part, origin="bench", partition=0)

    stages: list[tuple[str, Callable[[Any], object], list[Any]]] = [
        ("validate", lambda record: check(record, rules), records),
        ("mask", mask, raw),
        ("clean", clean, raw),
        ("fold", fold, cleaned),
        ("words and wording", lambda text: wording(words_of(text)), folded),
        ("language", lambda pair: language.detect(*pair), list(zip(cleaned, words, strict=True))),
        (
            "flags",
            lambda p: door.lexicons.flags(p[1], p[0]),
            list(zip(cleaned, words, strict=True)),
        ),
        ("features", features, batches),
        ("**whole frame, no encoder**", frames, list(range(0, len(records), BATCH))),
    ]
    print(f"\n| {name} | µs/post |\n|---|---:|")
    for stage, run, inputs in stages:
        for _ in range(2):
            begin = time.process_time()
            for value in inputs:
                run(value)
            spent = time.process_time() - begin
        print(f"| {stage} | {spent / len(records) * 1e6:.0f} |")


if __name__ == "__main__":
    sys.exit(main())
