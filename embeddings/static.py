"""The encoder that ships: the sum of the int8 rows of a text's tokens, at unit length.

Row values are small integers times a small integer scale per row, so every sum is an integer
below 2**24: float32 holds it exactly, in any order of addition. A text therefore gives the same
bytes alone and in a batch, whatever the number of BLAS threads.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from embeddings.encoder import EncoderDamaged, EncoderUnsupported, checked, fixed_row
from embeddings.safetensor_file import SafetensorError, read_arrays
from embeddings.unigram import Unigram, normalised, read

KIND = "tindon-static-1"
MAX_TOKENS = 96
# Characters read of a text. 96 tokens are 670 characters at most, by the rate of the first 300
# FLORES sentences of each language; a longer post costs tokeniser time and changes nothing.
MAX_CHARS = 1024
MAX_DIM = 512  # the sum of that many squares below 2**44 is still exact in float64
# Largest row scale: MAX_TOKENS * 127 * MAX_SCALE < 2**22, so a sum is exact in float32 and the
# sum of 512 squares (2**53) is exact in float64.
MAX_SCALE = 343
_GEMV_ROWS = 32  # rows per product: below OpenBLAS's size for starting threads
MAX_WORDS = 2 * MAX_TOKENS  # a token spans two words at most
CACHED_UNITS = 25_000  # about 5 MB
_CACHED_CHARS = 24  # longer units (links, unspaced scripts) seldom come back
FILES = ("table.safetensors", "tokenizer.json", "prior.safetensors")


class StaticEncoder:
    """Runs a Tindon model folder; needs numpy alone.

    Raises EncoderDamaged or EncoderUnsupported when the folder cannot be run.
    """

    def __init__(self, folder: Path, manifest: dict[str, Any] | None = None) -> None:
        """`manifest`: what `read_manifest` gave for the folder, from a caller who asked."""
        if manifest is None:
            manifest = read_manifest(folder)
        arrays = _arrays(folder / "table.safetensors")
        self._rows, self._scales = _table(arrays, manifest, folder)
        self._unigram = _unigram(folder / "tokenizer.json", len(self._rows))
        self._dim = int(self._rows.shape[1])
        self._identity = identity(manifest)
        self._empty = fixed_row(self._dim)
        self._seconds = self._unigram.compound_seconds()
        self._known: dict[str, tuple[int, ...]] = {}
        self._manifest = manifest
        self.folder = folder

    @property
    def dim(self) -> int:
        return self._dim

    @property
    def identity(self) -> str:
        return self._identity

    @property
    def manifest(self) -> dict[str, Any]:
        """What ``model.json`` says (a copy)."""
        return dict(self._manifest)

    def encode(self, texts: list[str]) -> np.ndarray:
        """See ``Encoder.encode``. About 25 µs a post on one core (bench/encoder.py)."""
        bags = self.token_ids(checked(texts))
        sums = np.zeros((len(bags), self._dim), np.float32)
        for row, ids in zip(sums, bags, strict=True):
            for start in range(0, len(ids), _GEMV_ROWS):
                part = ids[start : start + _GEMV_ROWS]
                row += self._scales[part] @ self._rows[part].astype(np.float32)
        exact = sums.astype(np.float64)
        lengths = np.sqrt(np.einsum("ij,ij->i", exact, exact))
        blank = lengths == 0.0
        lengths[blank] = 1.0
        out = np.ascontiguousarray(exact / lengths[:, None], np.float32)
        out[blank] = self._empty
        return out

    def token_ids(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids (at most ``MAX_TOKENS``) of each text.

        No piece reaches across a space except the compounds ("▁chính▁phủ"), so a text is cut
        wherever no compound can start, and ids are kept per cut: a cache of a pure function,
        replaced by an empty one when full, safe to share. The ids equal those of the whole text
        (tests/unit/test_encoder_contract.py).
        """
        known = self._known
        if len(known) > CACHED_UNITS:
            known = self._known = {}
        bags: list[list[int]] = []
        for text in texts:
            ids: list[int] = []
            for unit in self._units(text):
                part = known.get(unit)
                if part is None:
                    part = self._unigram.ids(unit)
                    if len(unit) <= _CACHED_CHARS:
                        known[unit] = part
                ids += part
            bags.append(ids[:MAX_TOKENS])
        return bags

    def _units(self, text: str) -> list[str]:
        """Normalised words, joined where a compound may span the space between them."""
        seconds = self._seconds
        units: list[str] = []
        joins: tuple[str, ...] | None = None
        for word in normalised(text[:MAX_CHARS]).split(maxsplit=MAX_WORDS)[:MAX_WORDS]:
            if joins and word.startswith(joins):
                units[-1] += " " + word
            else:
                units.append(word)
            joins = seconds.get(word)
        return units

    def float_table(self) -> np.ndarray:
        """The table as float32 (tokens, dim): row times scale, exact."""
        table: np.ndarray = self._rows.astype(np.float32) * self._scales[:, None]
        return table

    def tokenizer_json(self) -> str:
        """The tokenizer's own file, as text."""
        return (self.folder / "tokenizer.json").read_text("utf-8")

    def __reduce__(self) -> NoReturn:
        raise TypeError("an encoder is not pickled; call load_encoder in each process")


def read_manifest(folder: Path) -> dict[str, Any]:
    """``model.json`` with every file's checksum verified; raises EncoderDamaged otherwise."""
    mend = "reinstall tindon, or export the model again"
    try:
        manifest: dict[str, Any] = json.loads((folder / "model.json").read_text("utf-8"))
        kind, sums = manifest["kind"], dict(manifest["sha256"])
    except FileNotFoundError as error:
        raise EncoderDamaged(f"{folder} has no model.json; {mend}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise EncoderDamaged(f"{folder}/model.json is unreadable ({error}); {mend}") from error
    if kind != KIND:
        raise EncoderUnsupported(
            f"{folder} is of kind {kind!r}, this version runs {KIND!r}; upgrade tindon"
        )
    for name in FILES:
        path = folder / name
        if not path.is_file():
            raise EncoderDamaged(f"{folder} lacks {name}; {mend}")
        if file_sha256(path) != sums.get(name):
            raise EncoderDamaged(f"{path} differs from its checksum in model.json; {mend}")
    return manifest


def identity(manifest: dict[str, Any]) -> str:
    """``name/version/sha256``, the last over the checksums of the folder's files."""
    joined = "".join(manifest["sha256"][name] for name in FILES)
    digest = hashlib.sha256(joined.encode()).hexdigest()
    return f"{manifest['name']}/{manifest['version']}/{digest}"


def file_sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        return read_arrays(path)[0]
    except SafetensorError as error:
        raise EncoderDamaged(f"{path}: {error}; reinstall tindon") from error


def _table(
    arrays: dict[str, np.ndarray], manifest: dict[str, Any], folder: Path
) -> tuple[np.ndarray, np.ndarray]:
    rows, scales = arrays.get("rows"), arrays.get("scales")
    if rows is None or scales is None or rows.dtype != np.int8 or rows.ndim != 2:
        raise EncoderUnsupported(f"{folder} holds no int8 table; export the model again")
    if scales.shape != rows.shape[:1] or rows.shape[1] != manifest.get("dim"):
        raise EncoderUnsupported(
            f"{folder} says dimension {manifest.get('dim')} and holds {rows.shape[1]};"
            " export the model again"
        )
    if rows.shape[1] > MAX_DIM:
        raise EncoderUnsupported(f"{folder} has more than {MAX_DIM} dimensions; train it again")
    if int(scales.max(initial=0)) > MAX_SCALE:
        raise EncoderUnsupported(f"{folder} has row scales above {MAX_SCALE}; train it again")
    return rows, scales.astype(np.float32)


def _unigram(path: Path, rows: int) -> Unigram:
    try:
        model = read(path)
    except ValueError as error:
        raise EncoderDamaged(f"{path} is unreadable ({error}); reinstall tindon") from error
    if len(model) != rows:
        raise EncoderUnsupported(
            f"{path} has {len(model)} tokens for {rows} rows; export the model again"
        )
    return model
