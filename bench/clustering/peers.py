"""The peers: one-pass clusterings by others, each as its authors describe it.

A peer is prepared once for a stream and then gives labels for any threshold. Which threshold is chosen
by `table.py`, on the first half of the stream.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.clustering.ours import OUT, Stream
from embeddings.normalise import clean

MINI_BATCH = 500
"""Posts that first-story detection looks at together; earlier ones are searched in one product."""


class NotRun(Exception):
    """A peer is missing here; one line with the mend."""


@dataclass(frozen=True)
class Peer:
    """`prepare` does the work that no threshold changes and returns labels by threshold."""

    name: str
    thresholds: tuple[float, ...]
    most: int | None  # posts it is run on; None: all
    prepare: Callable[[Stream], Callable[[float], np.ndarray]]


def first_story(nearest: np.ndarray, similarity: np.ndarray, threshold: float) -> np.ndarray:
    """Labels: a post joins its nearest earlier one at `threshold` or more, else opens a story."""
    labels = np.arange(len(nearest))
    for i in range(len(nearest)):
        if nearest[i] >= 0 and similarity[i] >= threshold:
            labels[i] = labels[nearest[i]]
    return labels


class TfIdf:
    """First-story detection on TF-IDF, mini-batch, as the FSD literature has it (Petrovic et al.
    2010; Mazoyer et al. 2020): words as they are, document frequencies of all posts so far, nearest
    earlier post by cosine.
    """

    def __init__(self, texts: list[str]) -> None:
        from sklearn.feature_extraction.text import CountVectorizer

        vectorizer = CountVectorizer(token_pattern=r"(?u)\b\w\w+\b")
        counts = vectorizer.fit_transform([clean(t) for t in texts]).tocsr().astype(np.float64)
        counts.data = 1.0 + np.log(counts.data)
        self._counts = counts
        self.nearest, self.similarity = np.full(len(texts), -1), np.zeros(len(texts))

    def batches(self) -> Iterator[int]:
        """Search batch by batch; the number of posts that are done."""
        from scipy import sparse

        counts, nearest, similarity = self._counts, self.nearest, self.similarity
        n = len(nearest)
        frequency = np.zeros(counts.shape[1])
        earlier: list[sparse.csr_matrix] = []
        for start in range(0, n, MINI_BATCH):
            raw = counts[start : start + MINI_BATCH]
            frequency += np.asarray((raw > 0).sum(axis=0)).ravel()
            x = raw @ sparse.diags(np.log((start + raw.shape[0] + 1.0) / (frequency + 1.0)) + 1.0)
            length = np.sqrt(np.asarray(x.multiply(x).sum(axis=1)).ravel())
            x = (sparse.diags(1.0 / np.where(length > 0, length, 1.0)) @ x).tocsr()
            within = (x @ x.T).toarray()
            for block, at in [*((b, i * MINI_BATCH) for i, b in enumerate(earlier)), (x, start)]:
                near = within if at == start else (x @ block.T).toarray()
                if at == start:
                    near = np.tril(near, -1)
                best = near.argmax(axis=1)
                value = near[np.arange(len(best)), best]
                better = value > similarity[start : start + len(best)]
                rows = start + np.flatnonzero(better)
                similarity[rows], nearest[rows] = value[better], at + best[better]
            earlier.append(x)
            yield start + raw.shape[0]


def tfidf(stream: Stream) -> Callable[[float], np.ndarray]:
    """TF-IDF first story on a whole stream."""
    search = TfIdf(stream.text)
    for _ in search.batches():
        pass
    return lambda threshold: first_story(search.nearest, search.similarity, threshold)


def minilm(stream: Stream) -> Callable[[float], np.ndarray]:
    """First-story detection on sentence-transformers' all-MiniLM-L6-v2."""
    x = minilm_vectors(stream)
    n = len(x)
    nearest, similarity = np.full(n, -1), np.zeros(n)
    for start in range(0, n, MINI_BATCH):
        block = x[start : start + MINI_BATCH]
        near = block @ x[: start + len(block)].T
        near[:, start:] = np.tril(near[:, start:], -1)
        nearest[start : start + len(block)] = near.argmax(axis=1)
        similarity[start : start + len(block)] = near.max(axis=1)
    return lambda threshold: first_story(nearest, similarity, threshold)


def minilm_vectors(stream: Stream) -> np.ndarray:
    """MiniLM's unit rows, float32 (n, 384), from `bench/out/minilm` or made in the heavy environment."""
    import hashlib

    texts = [clean(t) for t in stream.text]
    digest = hashlib.blake2b("\0".join(texts).encode(), digest_size=8).hexdigest()
    path = OUT / "minilm" / f"{stream.name}-{digest}.npy"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        python = heavy()
        if python is None:
            raise NotRun("no environment with sentence-transformers: run `make transformers` once")
        listed = path.with_suffix(".txt")
        listed.write_text("\n".join(" ".join(t.split()) for t in texts), encoding="utf-8")
        script = Path(__file__).with_name("minilm_encode.py")
        subprocess.run([python, script, listed, path], check=True)
        listed.unlink()
    return np.load(path).astype(np.float32)


def heavy() -> Path | None:
    """The interpreter of the environment that `make transformers` sets up, if there is one."""
    root = Path(os.environ.get("TINDON_CACHE") or Path.home() / ".cache/tindon")
    for stamp in sorted(root.glob("transformers-*/.complete")):
        return stamp.parent / "bin/python"
    return None


def textclust(stream: Stream) -> Callable[[float], np.ndarray]:
    """river's TextClust (Assenmacher and Trautmann 2022): each post's micro-cluster at arrival."""
    river = _river()
    texts = [clean(t) for t in stream.text]

    def run(radius: float) -> np.ndarray:
        model = river.cluster.TextClust(
            real_time_fading=False, fading_factor=0.0005, tgap=200, auto_r=False, radius=radius
        )
        bag = river.feature_extraction.BagOfWords(lowercase=True, ngram_range=(1, 1))
        labels = []
        for number, text in enumerate(texts):
            words = bag.transform_one(text)
            model.learn_one(words)
            found = model.predict_one(words, type="micro") if model.micro_clusters else None
            labels.append(-number - 1 if found is None else int(found))
        return np.unique(labels, return_inverse=True)[1]

    return run


def dbstream(stream: Stream) -> Callable[[float], np.ndarray]:
    """river's DBSTREAM (Hahsler and Bolanos 2016) on 32 principal components of MiniLM's vectors."""
    river = _river()
    x = _components(minilm_vectors(stream), 32)
    rows = [{i: float(v) for i, v in enumerate(row)} for row in x]

    def run(radius: float) -> np.ndarray:
        model = river.cluster.DBSTREAM(
            clustering_threshold=radius, fading_factor=0.0001, cleanup_interval=500,
            intersection_factor=0.3, minimum_weight=1.0,
        )  # fmt: skip
        for row in rows:
            model.learn_one(row)
        return np.array([model.predict_one(row) for row in rows])

    return run


def bertopic_core(stream: Stream) -> Callable[[float], np.ndarray]:
    """What BERTopic.partial_fit runs when set up for streams, without its topic words: IncrementalPCA
    and MiniBatchKMeans, 1,000 posts at a time, on MiniLM's vectors. The threshold is the number of
    topics, which must be given beforehand.
    """
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.decomposition import IncrementalPCA

    x = minilm_vectors(stream).astype(np.float64)
    step = 1_000

    def run(topics: float) -> np.ndarray:
        k = min(int(topics), len(x) // 2, step)
        model = MiniBatchKMeans(n_clusters=k, random_state=0, n_init=1)
        parts = min(50, k, x.shape[1])
        reduce, labels = IncrementalPCA(n_components=parts), []
        starts = list(range(0, len(x), step))
        if len(starts) > 1 and len(x) - starts[-1] < k:
            starts.pop()  # a last batch smaller than the topics joins the one before
        for start, end in zip(starts, [*starts[1:], len(x)], strict=True):
            reduce.partial_fit(x[start:end])
            y = reduce.transform(x[start:end])
            model.partial_fit(y)
            labels.append(model.predict(y))
        return np.concatenate(labels)

    return run


def _components(x: np.ndarray, k: int) -> np.ndarray:
    x = x - x.mean(axis=0)
    _, _, axes = np.linalg.svd(x[:4000], full_matrices=False)
    return np.asarray(x @ axes[:k].T)


def _river():
    try:
        import river.cluster
        import river.feature_extraction
    except ImportError:
        raise NotRun(
            f"river is missing: {sys.executable} -m pip install -r bench/requirements.txt"
        ) from None
    return river


COSINES = (0.20, 0.25, 0.30, 0.35, 0.40, 0.45, 0.50, 0.55, 0.60, 0.65, 0.70, 0.75)
PEERS = (
    Peer("TF-IDF first story", COSINES, 20_000, tfidf),
    Peer("MiniLM first story", COSINES, 20_000, minilm),
    Peer("river TextClust", (0.4, 0.6, 0.8), 2_000, textclust),
    Peer("river DBSTREAM", (0.2, 0.3, 0.4, 0.5, 0.6), 1_000, dbstream),
    Peer("BERTopic's online core", (50, 100, 200, 300), 20_000, bertopic_core),
)
