"""A constructed Vietnamese stream: damaged copies of real posts, with chatter between.

Constructed, so copies are more alike than what people write of one claim, and every seed is taken for a
story of its own although two may tell the same. What it shows is how much lost diacritics, chat
spelling, cuts and resharing phrases cost.
"""

from __future__ import annotations

import gzip
import json
import random
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

STORIES = 300
SHORTEST = 60  # characters of a seed
LONGEST = 600
CHATTER = 3_000
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = 20
BEFORE = (
    "Chia sẻ gấp: ",
    "Mọi người ơi ",
    "Nghe nói ",
    "Thấy trên mạng: ",
    "RT ",
    "Có thật không? ",
)
AFTER = (" ai biết không", " mọi người cẩn thận nhé", " chia sẻ giúp ạ", " !!!", " 😱")
CHAT = (
    ("không", "ko"), ("được", "đc"), ("người", "ng"), ("rồi", "r"), ("với", "vs"), ("biết", "bít"),
    ("gì", "j"), ("cũng", "cg"), ("những", "nhg"), ("trong", "trg"),
)  # fmt: skip


def write_both(shared: Path, folder: Path, seed: int = 1) -> list[Path]:
    """The same stream twice: as written (half the copies lose their diacritics), and all without."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, bare in (("vietnamese", False), ("vietnamese_bare", True)):
        path = folder / f"{name}.jsonl"
        with open(path, "w", encoding="utf-8") as file:
            for post in posts(shared, seed):
                if bare:
                    post["text"] = strip_diacritics(post["text"])
                file.write(json.dumps(post, ensure_ascii=False) + "\n")
        paths.append(path)
    return paths


def posts(shared: Path, seed: int) -> Iterator[dict[str, Any]]:
    """All posts, not in order of time."""
    draw = random.Random(f"vietnamese {seed}")
    labelled = shared / "data/labelled"
    seeds = _texts(labelled, "fake_vi") + _texts(labelled, "posts_vi") + _first_of_each(labelled)
    seeds = [t for t in dict.fromkeys(seeds) if len(t) >= SHORTEST]
    draw.shuffle(seeds)
    for story, text in enumerate(seeds[:STORIES]):
        at = draw.uniform(0, DAYS * 86_400)
        for number in range(1 + min(int(draw.expovariate(0.15)) + 1, 40)):
            yield {
                "id": f"s{story}-{number}",
                "text": _damaged(text[:LONGEST], draw) if number else text[:LONGEST],
                "created_at": (BEGIN + timedelta(seconds=at)).isoformat(),
                "cluster": f"seed {story}",
            }
            at += draw.expovariate(1 / 7_200)
    chatter = _texts(labelled, "chatter_vi")
    for number, text in enumerate(draw.sample(chatter, min(CHATTER, len(chatter)))):
        at = draw.uniform(0, DAYS * 86_400)
        yield {
            "id": f"c{number}",
            "text": text,
            "created_at": (BEGIN + timedelta(seconds=at)).isoformat(),
            "cluster": None,
        }


def _damaged(text: str, draw: random.Random) -> str:
    if draw.random() < 0.5:
        words = text.split()
        text = " ".join(words[: max(8, int(len(words) * draw.uniform(0.5, 1.0)))])
    if draw.random() < 0.4:
        for whole, short in CHAT:
            text = text.replace(f" {whole} ", f" {short} ")
    if draw.random() < 0.4:
        text = draw.choice(BEFORE) + text
    if draw.random() < 0.3:
        text += draw.choice(AFTER)
    return strip_diacritics(text) if draw.random() < 0.5 else text


def strip_diacritics(text: str) -> str:
    """Vietnamese as it is typed without its marks."""
    apart = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(c for c in apart if not unicodedata.combining(c))


def _rows(labelled: Path, name: str) -> Iterator[dict[str, Any]]:
    with gzip.open(labelled / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def _texts(labelled: Path, name: str) -> list[str]:
    return [row["text"] for row in _rows(labelled, name) if row["text"].strip()]


def _first_of_each(labelled: Path) -> list[str]:
    """One news lead for each labelled story."""
    first: dict[str, str] = {}
    for row in _rows(labelled, "news_vi"):
        first.setdefault(row["cluster"], row["text"])
    return list(first.values())
