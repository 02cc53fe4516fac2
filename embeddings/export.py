"""The shipped model as a folder that sentence-transformers loads."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from embeddings.encoder import SHIPPED, EncoderError
from embeddings.safetensor_file import write_arrays
from embeddings.static import MAX_TOKENS, StaticEncoder

_MODULES = [
    {
        "idx": 0,
        "name": "0",
        "path": "0_StaticEmbedding",
        "type": "sentence_transformers.models.StaticEmbedding",
    },
    {
        "idx": 1,
        "name": "1",
        "path": "1_Normalize",
        "type": "sentence_transformers.models.Normalize",
    },
]
_UNIT = 1.0 / 1024  # rows of a size usual for embeddings; a power of two keeps them exact


def export(folder: Path, model: Path = SHIPPED) -> None:
    """Write a sentence-transformers ``StaticEmbedding`` model (float32) into ``folder``.

    Rows agree with our runtime to 1e-5 (tests/integration/test_sentence_transformers.py), except
    for a text without a token, which sentence-transformers gives a row of zeros.
    Raises EncoderError when ``folder`` holds other files, or the model cannot be read.
    """
    encoder = StaticEncoder(model)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise EncoderError(f"{folder} exists and is not an empty folder; name a new one")
    static = folder / "0_StaticEmbedding"
    static.mkdir(parents=True)
    (folder / "1_Normalize").mkdir()
    tokenizer = Tokenizer.from_str(encoder.tokenizer_json())
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.save(str(static / "tokenizer.json"), pretty=False)
    table = encoder.float_table() * np.float32(_UNIT)
    write_arrays(static / "model.safetensors", {"embedding.weight": table}, {"format": "pt"})
    for name, value in (
        ("modules.json", _MODULES),
        ("config_sentence_transformers.json", _config(encoder)),
    ):
        (folder / name).write_text(json.dumps(value, indent=2) + "\n", "utf-8")
    card = (model / "card.md").read_text("utf-8") if (model / "card.md").exists() else ""
    (folder / "README.md").write_text(card or f"# {encoder.identity}\n", "utf-8")


def _config(encoder: StaticEncoder) -> dict[str, object]:
    return {
        "model_type": "SentenceTransformer",
        "tindon_identity": encoder.identity,
        "prompts": {},
        "default_prompt_name": None,
        "similarity_fn_name": "cosine",
    }
