"""The taxonomy: what rumors may be about, read from YAML and checked."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from config.errors import SettingsError
from config.unique_yaml import yaml_cause, yaml_of

OTHER = "other"
"""The category of what is near to none; every taxonomy has it."""

MOST_CATEGORIES = 64
MOST_EXAMPLES = 3_000  # prototypes and words in all, see `embeddings.categories.WEIGHT`
_ID = re.compile(r"[a-z][a-z0-9-]{0,39}")
_FIELDS = {"id", "names", "harm", "prototypes", "words"}


@dataclass(frozen=True)
class Category:
    """One thing that rumors may be about."""

    id: str
    names: Mapping[str, str]  # language -> name on screen; vi and en at least
    harm: bool
    prototypes: tuple[str, ...]  # sentences of the kind, in any languages
    words: tuple[str, ...]  # phrases, marked as in the lexicons


@dataclass(frozen=True)
class Taxonomy:
    """All categories in the file's order; `checksum` is hex SHA-256 of the file."""

    categories: tuple[Category, ...]
    checksum: str

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(category.id for category in self.categories)

    def names(self) -> dict[str, tuple[str, str]]:
        """Id -> (Vietnamese, English) name."""
        return {c.id: (c.names["vi"], c.names["en"]) for c in self.categories}

    def require(self, name: str, where: str) -> None:
        """Raise SettingsError, naming the nearest, unless there is a category of that name."""
        if name not in self.ids:
            near = get_close_matches(name, self.ids, n=1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise SettingsError(
                f"{where}: there is no category {name!r}{hint}; "
                f"the categories are {', '.join(self.ids)}"
            )


def load_taxonomy(path: Path | None = None) -> Taxonomy:
    """The taxonomy in a file; the shipped one without a path. Raises SettingsError."""
    raw = _read(path)
    return _parsed(raw, str(path) if path else "taxonomy.yaml")


def taxonomy_checksum(path: Path | None = None) -> str:
    """Hex SHA-256 of the file. Raises SettingsError when it cannot be read."""
    return hashlib.sha256(_read(path)).hexdigest()


def _read(path: Path | None) -> bytes:
    if path is None:
        return resources.files("config").joinpath("taxonomy.yaml").read_bytes()
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(
            f"taxonomy {path}: {error.strerror}; name a readable file in embed.taxonomy, or leave it empty"
        ) from None


@lru_cache(maxsize=8)
def _parsed(raw: bytes, name: str) -> Taxonomy:
    try:
        values = yaml_of(raw.decode("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"taxonomy {name} is not good YAML: {yaml_cause(error)}") from None
    entries = values.get("categories") if isinstance(values, dict) else None
    if not isinstance(entries, list) or not entries:
        raise SettingsError(f"taxonomy {name} has no list `categories`: see config/taxonomy.yaml")
    categories = tuple(
        _category(entry, f"taxonomy {name}, category {place}")
        for place, entry in enumerate(entries, 1)
    )
    ids = [category.id for category in categories]
    twice = next((i for i in ids if ids.count(i) > 1), None)
    if twice is not None:
        raise SettingsError(f"taxonomy {name}: the category {twice} stands twice; rename one")
    if OTHER not in ids:
        raise SettingsError(f"taxonomy {name}: a category `{OTHER}` is missing; add it")
    examples = sum(len(c.prototypes) + len(c.words) for c in categories)
    if len(ids) > MOST_CATEGORIES or examples > MOST_EXAMPLES:
        raise SettingsError(
            f"taxonomy {name}: at most {MOST_CATEGORIES} categories and {MOST_EXAMPLES} prototypes and words"
        )
    return Taxonomy(categories, hashlib.sha256(raw).hexdigest())


def _category(entry: Any, where: str) -> Category:
    if not isinstance(entry, dict):
        raise SettingsError(f"{where} is no table; write `id:` and its fields below it")
    unknown = sorted(map(str, set(entry) - _FIELDS))
    if unknown:
        near = get_close_matches(unknown[0], _FIELDS, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise SettingsError(f"{where}: unknown field {unknown[0]}{hint}")
    name, names, harm = entry.get("id"), entry.get("names"), entry.get("harm", False)
    if not isinstance(name, str) or not _ID.fullmatch(name):
        raise SettingsError(f"{where}: id {name!r} must be lower-case letters, digits and hyphens")
    if not isinstance(names, dict) or not all(
        isinstance(names.get(code), str) and names[code].strip() for code in ("vi", "en")
    ):
        raise SettingsError(f"{where} ({name}): names needs a text for vi and one for en")
    if not isinstance(harm, bool):
        raise SettingsError(f"{where} ({name}): harm must be true or false, not {harm!r}")
    prototypes, words = (
        _texts(entry, field, f"{where} ({name})") for field in ("prototypes", "words")
    )
    if not prototypes and not words:
        raise SettingsError(
            f"{where} ({name}): give prototypes or words, else nothing can match it"
        )
    return Category(name, {str(k): str(v) for k, v in names.items()}, harm, prototypes, words)


def _texts(entry: dict[str, Any], field: str, where: str) -> tuple[str, ...]:
    given = entry.get(field, [])
    if not isinstance(given, list) or not all(isinstance(t, str) and t.strip() for t in given):
        raise SettingsError(
            f"{where}: {field} must be a list of texts; quote what YAML reads otherwise"
        )
    return tuple(text.strip() for text in given)
