"""Stage ``quantise``: float table to the model folder that the runtime maps."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np

from embeddings.safetensor_file import write_arrays
from embeddings.static import FILES, KIND, MAX_SCALE, file_sha256

LEVELS = 127  # int8, symmetric


def quantise(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows int8 (n, d) and integer scales uint16 (n,) with ``rows * scales`` in proportion.

    One step for the whole table (its largest value over 127 * MAX_SCALE) and a whole multiple of
    it per row: products stay small integers, which is what makes sums exact.
    """
    peak = np.abs(table).max(1)
    step = float(peak.max()) / (LEVELS * MAX_SCALE)
    scales = np.maximum(np.ceil(peak / (LEVELS * step) - 1e-9), 1).clip(max=MAX_SCALE)
    rows = np.rint(table / (scales * step)[:, None]).clip(-LEVELS, LEVELS)
    return rows.astype(np.int8), scales.astype(np.uint16)


def write_folder(table: np.ndarray, tokenizer: Path, out: Path, name: str, version: str) -> None:
    """``table.safetensors``, ``tokenizer.json`` and, where a prior lies there, ``model.json``."""
    out.mkdir(parents=True, exist_ok=True)
    rows, scales = quantise(table)
    write_arrays(out / "table.safetensors", {"rows": rows, "scales": scales})
    shutil.copyfile(tokenizer, out / "tokenizer.json")
    seal(out, name, version, int(rows.shape[1]))


def seal(out: Path, name: str, version: str, dim: int) -> None:
    """Write ``model.json``: kind, name, version, dimension and the files' checksums."""
    manifest = {
        "kind": KIND,
        "name": name,
        "version": version,
        "dim": dim,
        "sha256": {file: file_sha256(out / file) for file in FILES if (out / file).exists()},
    }
    (out / "model.json").write_text(json.dumps(manifest, indent=1) + "\n", "utf-8")
