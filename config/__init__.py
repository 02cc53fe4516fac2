"""Typed settings, their annotated defaults, and the taxonomy. Imports nothing of ours.

What reads settings is imported when it is first asked for: who needs the taxonomy alone, as the second
process of a replay does, starts a tenth of a second sooner.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from config.errors import SettingsError

if TYPE_CHECKING:
    from config.loading import Loaded, defaults, load
    from config.settings import Settings

__all__ = ["Loaded", "Settings", "SettingsError", "defaults", "load"]

_FROM = {"Settings": "config.settings"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_FROM.get(name, "config.loading")), name)
