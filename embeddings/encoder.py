"""What every encoder promises, and the one way to get one."""

from __future__ import annotations

import threading
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

SHIPPED = Path(__file__).parent / "model"
SHIPPED_NAME = "shipped"
"""What the settings and the command line call it."""


class EncoderError(ValueError):
    """An encoder cannot be loaded; the message is one line with the mend."""

    exit_code = 1  # of the commands, which print the message alone


class EncoderDamaged(EncoderError):
    """A model folder lacks a file, or a file differs from its checksum."""


class EncoderUnsupported(EncoderError):
    """A model folder of a kind or dimension that this version cannot run."""


class EncoderUnavailable(EncoderError):
    """A model name that is not on this machine, or an extra that is not installed."""


@runtime_checkable
class Encoder(Protocol):
    """Texts to unit rows: stateless, thread-safe, offline; tests/unit/test_encoder_contract.py."""

    @property
    def dim(self) -> int:
        """Length of a row."""
        ...

    @property
    def identity(self) -> str:
        """``name/version/sha256``: equal identities give equal rows on one machine."""
        ...

    def encode(self, texts: list[str]) -> np.ndarray:
        """Rows of the texts: C-contiguous float32 (n, dim), each of norm 1 within 1e-6.

        A text's row is the same bytes in any batch. A text without a token gives one fixed unit
        row. No prefix, document frequency or centring is applied. Raises TypeError for anything
        but a list of str.
        """
        ...


def checked(texts: object) -> list[str]:
    """``texts`` as a list, or TypeError with the mend when it is not a list of str."""
    if not isinstance(texts, (list, tuple)):
        raise TypeError(f"encode takes a list of str, not {type(texts).__name__}; wrap it in [...]")
    for place, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(f"text {place} is {type(text).__name__}, not str; leave it out")
    return list(texts)


def fixed_row(dim: int) -> np.ndarray:
    """The row of a text without a token: float32 (dim,), norm 1."""
    return np.full(dim, dim**-0.5, np.float32)


_lock = threading.Lock()
_loaded: dict[str, Encoder] = {}


class Encoding(NamedTuple):
    """What vectors ask of their encoder, but the encoder itself."""

    identity: str
    dim: int


def shipped_encoding() -> Encoding:
    """Of the encoder that ships, without loading it. Raises EncoderError."""
    from embeddings.static import identity

    manifest = _shipped_manifest()
    return Encoding(identity(manifest), int(manifest["dim"]))


@cache
def _shipped_manifest() -> dict[str, Any]:
    """Verified once in a process: that reads all of the model's files."""
    from embeddings.static import read_manifest

    return read_manifest(SHIPPED)


def load_encoder(name: str | None = None) -> Encoder:
    """The encoder called ``name``; one instance per process and name.

    ``None`` gives the encoder that ships. A folder with ``model.json`` is run by our runtime;
    a sentence-transformers folder, or a name in the local Hugging Face cache, by
    sentence-transformers (extra ``sentence-transformers``). Nothing is downloaded.
    Raises EncoderError (one line with the mend).
    """
    wanted = "" if name is None else name
    with _lock:
        if wanted not in _loaded:
            _loaded[wanted] = _load(name)
        return _loaded[wanted]


def _load(name: str | None) -> Encoder:
    from embeddings.static import StaticEncoder

    if name is None:
        return StaticEncoder(SHIPPED, _shipped_manifest())
    folder = Path(name).expanduser()
    if folder.is_dir():
        if (folder / "model.json").exists():
            return StaticEncoder(folder)
        if not (folder / "modules.json").exists():
            raise EncoderUnsupported(
                f"{folder} holds neither model.json (Tindon) nor modules.json"
                " (sentence-transformers); give the folder that `tindon encoder export` or"
                " SentenceTransformer.save wrote"
            )
    elif folder.is_absolute() or name.startswith((".", "~")) or name.count("/") > 1:
        raise EncoderUnavailable(f"encoder folder {name} does not exist; check the path")
    from embeddings.transformers import TransformersEncoder

    return TransformersEncoder(name)
