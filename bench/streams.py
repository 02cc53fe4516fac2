"""Streams for measuring speed: a file's posts again and again, paced, with so many micro-clusters active.

Everything is seeded: the same call gives the same stream.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from streams.sources import scenario
from streams.timestamps import parse_time

PER_WINDOW = 50_000
"""Posts that a window of active micro-clusters holds: with 14 days a post each 24 seconds."""

NEW_WORDS = 10
"""One word of so many is replaced in a repetition by one that no repetition before it used."""

LONE_WORDS = 12
"""Words of a post that says what nobody else says."""


def read(file: Path | None, *, unique: bool = False) -> list[dict[str, Any]]:
    """The posts of a file of JSON lines, or the invented day of `tindon demo`, in order of time (ms).

    `unique` leaves out exact repeats of a text.
    """
    if file is None:
        posts = list(scenario.generate(seed=1))
    else:
        opened = gzip.open(file, "rt", encoding="utf-8") if file.suffix == ".gz" else open(file)  # noqa: SIM115
        with opened:
            posts = [json.loads(line) for line in opened]
    posts = [post | {"created_at": parse_time(post["created_at"])} for post in posts]
    posts.sort(key=lambda post: (post["created_at"], post["id"]))
    if unique:
        posts = list({post["text"]: post for post in reversed(posts)}.values())[::-1]
    return posts


def write(
    path: Path, file: Path | None, unique: bool, size: int, window_ms: int, active: int
) -> None:
    """A stream as JSON lines: paced, or with 0 active micro-clusters a file's first posts as they are."""
    posts = read(file, unique=unique)
    with open(path, "w", encoding="utf-8") as lines:
        for post in paced(posts, size, window_ms, active) if active else posts[:size]:
            lines.write(json.dumps(post, ensure_ascii=False) + "\n")


def paced(
    posts: list[dict[str, Any]], size: int, window_ms: int, active: int
) -> Iterator[dict[str, Any]]:
    """`size` posts at a steady pace, repeated from the given ones, about `active` micro-clusters held.

    A seeded part of them is replaced by posts of words drawn from the whole file, which nobody else
    combines: each opens a micro-cluster that stays for a window. Those of the file come on top.
    """
    step = window_ms / PER_WINDOW
    start = parse_time("1975-01-01T00:00:00Z")  # ends in the past however long the stream is
    chance = random.Random(1)
    # Addresses and names are masked, and then alike: what is drawn are plain words.
    texts = (post["text"] for post in posts)
    words = sorted(
        {word for text in texts for word in text.split() if word.isalpha() and len(word) > 3}
    )
    for number in range(size):
        round_, at = divmod(number, len(posts))
        post = posts[at]
        lone = chance.random() < active / PER_WINDOW
        text = " ".join(chance.sample(words, LONE_WORDS)) if lone else _said(post["text"], round_)
        yield {
            "id": f"{round_}-{post['id']}",
            "text": text,
            "created_at": start + int(number * step),
            "author": post.get("author"),
            "lang": None if lone else post.get("lang"),
        }


def _said(text: str, round_: int) -> str:
    return text if not round_ else " ".join(_word(word, round_) for word in text.split(" "))


def _word(word: str, round_: int) -> str:
    """The same word, or now and then one that was never seen before."""
    if len(word) < 4 or word.startswith(("http", "@", "#")):
        return word
    digest = hashlib.blake2b(f"{round_} {word}".encode(), digest_size=6).hexdigest()
    return word if int(digest, 16) % NEW_WORDS else f"w{digest}"
