"""The stream of `bench.live`: each round holds the copies that the file holds, and repeats no other round."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

from bench.live import stream_of

TEXTS = ("The dam breaks http://a.example/1", "the dam breaks: @who", "The bank is closed")


def texts(folder: Path, *, copies: bool) -> list[list[str]]:
    """Three rounds."""
    file = folder / "posts.jsonl"
    posts = [
        {"id": f"p{n}", "text": text, "created_at": f"2026-01-01T00:00:0{n}Z"}
        for n, text in enumerate(TEXTS)
    ]
    file.write_text("".join(json.dumps(post) + "\n" for post in posts))
    stream = list(islice(stream_of([file], copies=copies), 3 * len(TEXTS)))
    assert len({post["id"] for post in stream}) == len(stream)
    return [[post["text"] for post in stream[at : at + 3]] for at in (0, 3, 6)]


def added(text: str, told: str) -> str:
    assert text.startswith(told)
    return text.removeprefix(told).strip()


def test_copies_stay_copies_in_every_round(tmp_path: Path) -> None:
    first, *later = texts(tmp_path, copies=True)
    assert first == list(TEXTS)
    words = [list(map(added, one, TEXTS)) for one in later]
    assert all(one == two != three for one, two, three in words)
    assert words[0][0] != words[1][0]


def test_without_copies_each_post_has_a_word_of_its_own(tmp_path: Path) -> None:
    _, *later = texts(tmp_path, copies=False)
    assert len({word for one in later for word in map(added, one, TEXTS)}) == 6
