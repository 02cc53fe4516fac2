"""Stage ``prior``: what a stream looks like before its first post.

``prior.safetensors`` holds, over a fixed number of unlabelled posts, the document frequency of
each cell of hashed lexical features (``cells`` uint32 ascending, ``frequency`` uint16), how many
posts were counted (``posts`` uint32 (1,)) and the mean of their dense rows (``mean`` float32
(dim,)). A cell is a feature's hash modulo 2**FREQUENCY_BITS. The cluster fold starts from it, so
that the first hour of a stream is weighed as well as the tenth.
"""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np

from embeddings.encoder import Encoder
from embeddings.features import FEATURES_VERSION, features
from embeddings.normalise import clean, fold
from embeddings.safetensor_file import write_arrays
from embeddings.train.corpus import Pair, Post
from streams.grid import FREQUENCY_BITS

POSTS_PER_LANGUAGE = 18_000  # Vietnamese and English alike
SIDES_PER_LANGUAGE = 400  # of each other language: enough for its function words
SEEN_TWICE = 2  # rarer cells are left out: they say nothing and fill the file


def sample(pairs: list[Pair], posts: list[Post], seed: int) -> list[str]:
    """The texts counted: posts in Vietnamese and English, a few sentences per other language."""
    rng = random.Random(seed)
    by: dict[str, list[str]] = {}
    for post in posts:
        by.setdefault(post.lang, []).append(post.text)
    texts: list[str] = []
    for lang in sorted(by):
        texts += rng.sample(by[lang], min(POSTS_PER_LANGUAGE, len(by[lang])))
    sides: dict[str, list[str]] = {}
    for pair in pairs:
        if pair.lang_b not in by:
            sides.setdefault(pair.lang_b, []).append(pair.b)
    for lang in sorted(sides):
        texts += rng.sample(sides[lang], min(SIDES_PER_LANGUAGE, len(sides[lang])))
    return texts


def empty(out: Path) -> None:
    """A prior of no posts, so that the folder can be loaded while the real one is counted."""
    write_arrays(out, {"posts": np.zeros(1, np.uint32)})


def build(texts: list[str], encoder: Encoder, out: Path) -> None:
    """Write ``out`` from the texts as the embed stage would see them."""
    frequency = np.zeros(1 << FREQUENCY_BITS, np.int64)
    total = np.zeros(encoder.dim)
    for start in range(0, len(texts), 1024):
        cleaned = [clean(text) for text in texts[start : start + 1024]]
        _, hashes, _ = features([fold(text) for text in cleaned])
        np.add.at(frequency, hashes & np.uint32((1 << FREQUENCY_BITS) - 1), 1)
        total += encoder.encode(cleaned).sum(0, dtype=np.float64)
    cells = np.flatnonzero(frequency >= SEEN_TWICE)
    write_arrays(
        out,
        {
            "cells": cells.astype(np.uint32),
            "mean": (total / len(texts)).astype(np.float32),
            "posts": np.array([len(texts)], np.uint32),
            "frequency": frequency[cells].clip(max=np.iinfo(np.uint16).max).astype(np.uint16),
        },
        {"frequency_bits": str(FREQUENCY_BITS), "features_version": str(FEATURES_VERSION)},
    )
