"""Typed settings, their annotated defaults, and the taxonomy. Imports nothing of ours."""

from config.errors import SettingsError
from config.loading import Loaded, defaults, load
from config.settings import Settings

__all__ = ["Loaded", "Settings", "SettingsError", "defaults", "load"]
