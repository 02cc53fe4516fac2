"""What a post is about: a linear reading of its vector, learnt from a taxonomy's sentences, and its words.

A post has one category. Its score for each is a ridge regression (Hoerl and Kennard 1970) from vector
to category, fitted at the start to the prototypes and words of the taxonomy, plus WORD for each different
word of the category, at most WORDS times. The margin of the best score over the next says how sure it is.
Scores are whole numbers, so that a text's category is the same in any batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import log

import numpy as np

from config.taxonomy import OTHER, Taxonomy
from embeddings.normalise import clean
from embeddings.reading import DenseEncoder, Reading, dense_of
from streams.records import Flag

RIDGE = 2.0
"""Regularisation, for unit rows of weight one on average. [measured: .3 to 3 differ little]"""

POST, WEIGHT = 512, 1024
"""Steps of one in a post's row and in the fitted weights. A column of weights is no longer than
sqrt(examples / (4 RIDGE)), so sums stay below 2**24 for 3,000 examples: float32 adds them exactly, in any
order."""

ONE = POST * WEIGHT  # a score of one

WORD, WORDS = round(0.20 * ONE), 3
"""What a word of the category adds, and how many count. [measured: bench.categories, .1 is worse]"""

SCALE = 0.12 * ONE
"""Margin at which the odds are e to one. [measured: bench.categories]"""

LEAST = 60
"""Percent from which a post has a category that is not `other`."""

_MARKS = "=~?.… "  # of a lexicon's phrases


class Categories:
    """A taxonomy ready to match, with an encoder or by words alone."""

    def __init__(self, taxonomy: Taxonomy, encoder: DenseEncoder | None) -> None:
        self.taxonomy = taxonomy
        self.ids = taxonomy.ids
        self.encoder = encoder
        self._place = {name: place for place, name in enumerate(self.ids)}
        self._harm = [int(Flag.HARM) if c.harm else 0 for c in taxonomy.categories]
        self._weights, self._base = _fitted(taxonomy, encoder)
        # Margin from which each percent of sureness holds: 51, 52, ... 99.
        self._steps = np.array([round(SCALE * log(p / (100 - p))) for p in range(51, 100)])

    def __repr__(self) -> str:
        return f"Categories({', '.join(self.ids)})"

    @property
    def words(self) -> Iterator[tuple[str, str]]:
        """(category, phrase), for `embeddings.flags.load`."""
        return ((c.id, word) for c in self.taxonomy.categories for word in c.words)

    def scores(self, readings: list[Reading]) -> np.ndarray:
        """Score of each reading and category: int64 (n, k), ONE is certainty."""
        scores = np.zeros((len(readings), len(self.ids)), np.int64)
        if self.encoder is not None:
            rows = dense_of(readings)
            scores += (np.rint(rows * np.float32(POST)) @ self._weights).astype(np.int64)
            scores += self._base
        for row, reading in enumerate(readings):
            for name, found in reading.topics.items():
                scores[row, self._place[name]] += WORD * min(found, WORDS)
        return scores

    def decide(self, readings: Iterable[Reading]) -> None:
        """Give the readings their category, those that have none yet in one go."""
        new = list({id(r): r for r in readings if not r.category}.values())
        if not new:
            return
        scores = self.scores(new)
        best = scores.argmax(axis=1)  # ties: the first of the file
        top = np.take_along_axis(scores, best[:, None], axis=1)[:, 0]
        np.put_along_axis(scores, best[:, None], np.iinfo(np.int64).min, axis=1)
        margin = top - scores.max(axis=1) if len(self.ids) > 1 else top
        sure = 50 + np.searchsorted(self._steps, margin, side="right")
        for reading, place, percent in zip(new, best.tolist(), sure.tolist(), strict=True):
            told = percent >= LEAST and self.ids[place] != OTHER
            reading.category = self.ids[place] if told else OTHER
            reading.sure = percent if told else 0
            reading.harm = self._harm[place] if told else 0


def _fitted(taxonomy: Taxonomy, encoder: DenseEncoder | None) -> tuple[np.ndarray, np.ndarray]:
    """Weights float32 (d, k) and base int64 (k,), both whole: score = rint(512 row) @ weights + base.

    Each category weighs the same, however many examples it has.
    """
    examples = [
        (place, clean(text.strip(_MARKS)))
        for place, category in enumerate(taxonomy.categories)
        for text in (*category.prototypes, *category.words)
    ]
    k = len(taxonomy.categories)
    if encoder is None or not examples:
        return np.zeros((0, k), np.float32), np.zeros(k, np.int64)
    of = np.array([place for place, _ in examples])
    rows = encoder.encode([text for _, text in examples]).astype(np.float64)
    weight = 1.0 / np.bincount(of, minlength=k)[of]
    weight *= len(of) / weight.sum()
    wanted = np.eye(k)[of]
    mean, share = (np.average(a, axis=0, weights=weight) for a in (rows, wanted))
    rows, wanted = rows - mean, wanted - share
    left = rows.T @ (rows * weight[:, None]) + RIDGE * np.eye(rows.shape[1])
    fitted = np.linalg.solve(left, rows.T @ (wanted * weight[:, None]))
    base = np.rint((share - mean @ fitted) * ONE).astype(np.int64)
    return np.rint(fitted * WEIGHT).astype(np.float32), base
