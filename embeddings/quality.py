"""How good an encoder is for this work: translations found, stories told apart, damage survived.

Files are the caller's: pair tables (gzip TSV: two languages, two texts) and labelled posts (JSON
lines with ``text`` and ``cluster``). Figures are cosines of raw rows, or areas under the ROC
curve (AUC); nothing is drawn but what the seed decides.
"""

from __future__ import annotations

import gzip
import json
import math
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np

from embeddings.features import features
from embeddings.normalise import clean, fold
from embeddings.train.corpus import read_table
from embeddings.train.damage import bare, phone_typing

ROWS = 1_000  # first rows per set and language, as the targets are stated
MAX_POSTS = 4_000  # of a labelled file, drawn by the seed
MAX_PAIRS = 40_000  # of either kind per labelled file
Embed = Callable[[list[str]], np.ndarray]


def rank_one(a: np.ndarray, b: np.ndarray) -> float:
    """Mean over both directions of the share of rows whose nearest row is their own pair."""
    scores = a @ b.T
    here = np.arange(len(a))
    return float(((scores.argmax(1) == here).mean() + (scores.argmax(0) == here).mean()) / 2)


def read_pairs(file: Path) -> dict[str, list[tuple[str, str]]]:
    """(English, other) by language, at most ``ROWS`` each, in the file's order."""
    by: dict[str, list[tuple[str, str]]] = {}
    for lang_a, lang_b, a, b in read_table(file):
        rows = by.setdefault(lang_b, [])
        if lang_a == "en" and len(rows) < ROWS:
            rows.append((a, b))
    return by


def retrieval(
    embed: Embed, folder: Path, only: tuple[str, ...] | None = None
) -> dict[str, dict[str, float]]:
    """Rank-1 by pair file and language; ``vi-bare`` is Vietnamese without marks."""
    table: dict[str, dict[str, float]] = {}
    for file in sorted(folder.glob("*.tsv.gz")):
        row: dict[str, float] = {}
        for lang, pairs in sorted(read_pairs(file).items()):
            if only is not None and lang not in only:
                continue
            english = embed([a for a, _ in pairs])
            row[lang] = rank_one(english, embed([b for _, b in pairs]))
            if lang == "vi":
                row["vi-bare"] = rank_one(english, embed([bare(b) for _, b in pairs]))
        if row:
            table[file.name.removesuffix(".tsv.gz").removeprefix("test_")] = row
    return table


def damage(embed: Embed, texts: list[str], seed: int = 7) -> dict[str, float]:
    """Median cosine of Vietnamese texts to themselves bare, and as typed on a phone."""
    rng = random.Random(seed)
    whole = embed(texts)
    return {
        "bare": float(np.median((whole * embed([bare(t) for t in texts])).sum(1))),
        "phone": float(np.median((whole * embed([phone_typing(t, rng) for t in texts])).sum(1))),
    }


def labelled(file: Path, seed: int = 7) -> tuple[list[str], list[str]]:
    """Cleaned texts and their stories out of JSON lines (``.gz`` too), ``MAX_POSTS`` at most.

    Posts without a story and repeats are left out. Raises ValueError or KeyError on other files.
    """
    opened = gzip.open if file.suffix == ".gz" else open
    with opened(file, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines if line.strip()]
    found = [(clean(r["text"]), str(r["cluster"])) for r in rows if r.get("cluster") is not None]
    # The same words twice are one post here: finding a copy is not what an encoder is for.
    unique = sorted({(text, story) for text, story in found if text})
    random.Random(seed).shuffle(unique)
    kept = unique[:MAX_POSTS]
    return [text for text, _ in kept], [story for _, story in kept]


def story_auc(rows: np.ndarray, stories: list[str], seed: int = 7) -> float:
    """Probability that two posts of one story are closer than two of different stories.

    Rows are centred on the file's mean and unit again, as the cluster fold does with a stream.
    """
    centred = rows.astype(np.float64) - rows.mean(0)
    centred /= np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)
    same, other = _pairs(stories, seed)
    near = (centred[same[:, 0]] * centred[same[:, 1]]).sum(1)
    far = (centred[other[:, 0]] * centred[other[:, 1]]).sum(1)
    return _auc(near, far)


def lexical_auc(texts: list[str], stories: list[str], seed: int = 7) -> float:
    """``story_auc`` of the hashed lexical features alone, tf-idf weighted over the file."""
    ends, hashes, counts = features([fold(text) for text in texts])
    _, place, df = np.unique(hashes, return_inverse=True, return_counts=True)
    weights = (1 + np.log(counts)) * np.log((len(texts) + 1) / (df[place] + 1.0))
    starts = np.concatenate([[0], ends[:-1]])
    bags: list[dict[int, float]] = []
    for start, end in zip(starts, ends, strict=True):
        part = weights[start:end]
        length = float(np.sqrt((part**2).sum())) or 1.0
        bags.append(dict(zip(place[start:end].tolist(), (part / length).tolist(), strict=True)))

    def cosine(pair: np.ndarray) -> float:
        a, b = bags[pair[0]], bags[pair[1]]
        return math.fsum(value * b[name] for name, value in a.items() if name in b)

    same, other = _pairs(stories, seed)
    return _auc(np.array([cosine(p) for p in same]), np.array([cosine(p) for p in other]))


def _pairs(stories: list[str], seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    code = np.unique(np.array(stories), return_inverse=True)[1]
    left, right = np.triu_indices(len(code), 1)
    same = np.flatnonzero(code[left] == code[right])
    if len(same) > MAX_PAIRS:
        same = rng.choice(same, MAX_PAIRS, replace=False)
    drawn = rng.integers(len(left), size=MAX_PAIRS)
    drawn = drawn[code[left[drawn]] != code[right[drawn]]]
    return (
        np.stack([left[same], right[same]], 1),
        np.stack([left[drawn], right[drawn]], 1),
    )


def _auc(high: np.ndarray, low: np.ndarray) -> float:
    """Share of (high, low) pairs in the right order, ties half (Mann-Whitney)."""
    ordered = np.sort(low)
    below = np.searchsorted(ordered, high, "left") + np.searchsorted(ordered, high, "right")
    return float(below.mean() / (2 * len(low)))
