"""What the global options mean for a command: its settings and its log, read when asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import typer

from cli.logs import start_logging

if TYPE_CHECKING:  # the settings model takes a third of a second to import; --help needs none
    from config import Loaded, Settings


@dataclass
class Call:
    """One run of `tindon`; the object of the root context."""

    config_file: Path | None
    verbose: bool
    loaded: Loaded | None = None


def loaded(ctx: typer.Context) -> Loaded:
    """Settings with their origins; the first call starts the log. Raises SettingsError."""
    from config import load

    call = cast(Call, ctx.find_root().obj)
    if call.loaded is None:
        call.loaded = load(call.config_file)
        log = call.loaded.settings.log
        start_logging("debug" if call.verbose else log.level, log.json_lines)
    return call.loaded


def settings(ctx: typer.Context) -> Settings:
    """The settings that this command runs under. Raises SettingsError."""
    return loaded(ctx).settings
