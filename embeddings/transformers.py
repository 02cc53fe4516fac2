"""Any sentence-transformers model as an ``Encoder`` (extra ``sentence-transformers``)."""

from __future__ import annotations

import hashlib
import os
import re
import threading
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from embeddings.encoder import (
    EncoderDamaged,
    EncoderUnavailable,
    EncoderUnsupported,
    checked,
    fixed_row,
)

MAX_CHARS = 4096  # a post; the model's own token limit cuts further
_WEIGHTS = ("*.safetensors", "*.bin", "*.json", "*.txt", "*.model")


class TransformersEncoder:
    """A model folder, or a name in the local Hugging Face cache; nothing is downloaded.

    Texts go through the model one by one: padding and matrix shapes then depend on the text
    alone, and its row is the same bytes in any batch. On a CPU that costs up to half of the
    speed (bench/encoder.py); the encoder that ships has no such cost.
    """

    def __init__(self, name: str) -> None:
        self._model, folder = _load(name)
        width = _width(self._model)
        if not width:
            raise EncoderUnsupported(
                f"{name} gives no sentence vector of fixed length; use a model with a pooling layer"
            )
        self._dim = int(width)
        self._identity = f"{_plain(name)}/{_version(self._model)}/{_digest(folder)}"
        self._lock = threading.Lock()  # tokenizers of transformers are not thread-safe
        self._empty = fixed_row(self._dim)

    @property
    def dim(self) -> int:
        return self._dim

    @property
    def identity(self) -> str:
        return self._identity

    def encode(self, texts: list[str]) -> np.ndarray:
        """See ``Encoder.encode``."""
        out = np.zeros((len(checked(texts)), self._dim), np.float32)
        for row, text in zip(out, texts, strict=True):
            row[:] = self._one(text)
        return out

    def _one(self, text: str) -> np.ndarray:
        whole = text[:MAX_CHARS].encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        if not whole.strip():
            return self._empty
        with self._lock:
            raw = self._model.encode([whole], batch_size=1, show_progress_bar=False, prompt="")
        row = np.asarray(raw[0], np.float64)
        length = float(np.sqrt((row * row).sum()))
        if not np.isfinite(length) or length == 0.0:
            return self._empty
        return (row / length).astype(np.float32)

    def __reduce__(self) -> NoReturn:
        raise TypeError("an encoder is not pickled; call load_encoder in each process")


def _load(name: str) -> tuple[Any, Path]:
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise EncoderUnavailable(
            f"encoder {name!r} needs an extra: pip install 'tindon[sentence-transformers]'"
        ) from error
    folder = Path(name).expanduser()
    if not folder.is_dir():
        folder = _cached(name)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        return SentenceTransformer(str(folder), local_files_only=True), folder
    except Exception as error:  # whatever a damaged folder makes torch or json raise
        reason = str(error).splitlines()[0][:160] if str(error) else type(error).__name__
        raise EncoderDamaged(f"{folder} does not load ({reason}); save the model again") from error


def _cached(name: str) -> Path:
    """The folder of a Hugging Face name that was downloaded before."""
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, local_files_only=True))
    except Exception as error:
        raise EncoderUnavailable(
            f"encoder {name!r} is neither a folder nor in the local Hugging Face cache;"
            f" run `hf download {name}` where there is a network, or give a folder"
        ) from error


def _plain(name: str) -> str:
    """The last part of a name or path, without characters that an identity uses itself."""
    return re.sub(r"[^\w.-]+", "-", Path(name).expanduser().name) or "model"


def _width(model: Any) -> int | None:
    """Length of a sentence vector; the method was renamed in later sentence-transformers."""
    ask = getattr(model, "get_embedding_dimension", None)
    width: int | None = ask() if ask else model.get_sentence_embedding_dimension()
    return width


def _version(model: Any) -> str:
    config = getattr(model, "_model_config", None) or {}
    versions = config.get("__version__") or {}
    return str(versions.get("sentence_transformers") or "0")


def _digest(folder: Path) -> str:
    """SHA-256 over the names and contents of the files that decide a row."""
    digest = hashlib.sha256()
    for path in sorted({p for glob in _WEIGHTS for p in folder.rglob(glob) if p.is_file()}):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
