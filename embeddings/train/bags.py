"""Texts as token bags in two flat arrays, so that a batch is cut out without a Python loop."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from embeddings.static import MAX_TOKENS


@dataclass(frozen=True)
class Bags:
    """``ids[starts[i]:starts[i + 1]]`` are the tokens of text i; no bag is empty."""

    ids: np.ndarray
    starts: np.ndarray

    def cut(
        self, rows: np.ndarray, rng: np.random.Generator, drop: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Ids and offsets of the texts ``rows``, each token left out with probability ``drop``.

        Bags of four tokens and fewer are kept whole.
        """
        lengths = self.starts[rows + 1] - self.starts[rows]
        ends = np.cumsum(lengths)
        offsets = ends - lengths
        places = np.arange(ends[-1]) - np.repeat(offsets - self.starts[rows], lengths)
        ids = self.ids[places]
        if drop <= 0:
            return ids, offsets
        keep = rng.random(len(ids)) >= drop
        keep |= np.repeat(lengths <= 4, lengths)
        keep[offsets] |= True
        left = np.add.reduceat(keep, offsets, dtype=np.int64)
        return ids[keep], np.cumsum(left) - left


def cached(file: Path, texts: list[str], tokenizer: Tokenizer, parts: dict[int, list[int]]) -> Bags:
    """The bags of ``texts``, kept in ``file``; tokenising takes a minute or two."""
    stamp = zlib.crc32("\n".join(texts).encode("utf-8", "surrogatepass"))
    stamp = zlib.crc32(f"{tokenizer.get_vocab_size()} {len(parts)}".encode(), stamp)
    if file.exists():
        with np.load(file) as held:
            if int(held["stamp"]) == stamp:
                return Bags(held["ids"], held["starts"])
    bags = bag(texts, tokenizer, parts)
    np.savez(file, ids=bags.ids, starts=bags.starts, stamp=np.int64(stamp))
    return bags


def bag(texts: list[str], tokenizer: Tokenizer, parts: dict[int, list[int]]) -> Bags:
    """The bags of ``texts``; a compound is spelled out as the vectors that it is the sum of."""
    flat: list[int] = []
    starts = [0]
    for first in range(0, len(texts), 20_000):
        for coded in tokenizer.encode_batch_fast(texts[first : first + 20_000]):
            for i in coded.ids[:MAX_TOKENS] or [1]:
                flat += parts.get(i) or (i,)
            starts.append(len(flat))
    return Bags(np.array(flat, np.int32), np.array(starts, np.int64))
