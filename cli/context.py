"""What the global options mean for a command: its settings and its log, read when asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
        call.loaded = following_ports(load(call.config_file))
        log = call.loaded.settings.log
        start_logging("debug" if call.verbose else log.level, log.json_lines)
    return call.loaded


def settings(ctx: typer.Context) -> Settings:
    """The settings that this command runs under. Raises SettingsError."""
    return loaded(ctx).settings


def following_ports(found: Loaded) -> Loaded:
    """The settings with the clients' addresses at the local servers' ports, unless they were given.

    Whoever moves a port says so once: ingest, worker, apply, console and doctor go along.
    """
    chosen, origins = found.settings, dict(found.origins)
    if origins["kafka.bootstrap"] == "default" != origins["servers.kafka_port"]:
        kafka = {"bootstrap": f"127.0.0.1:{chosen.servers.kafka_port}"}
        chosen = chosen.model_copy(update={"kafka": chosen.kafka.model_copy(update=kafka)})
        origins["kafka.bootstrap"] = "servers.kafka_port"
    if origins["elasticsearch.url"] == "default" != origins["servers.elasticsearch_port"]:
        search = {"url": f"http://127.0.0.1:{chosen.servers.elasticsearch_port}"}
        search_section = chosen.elasticsearch.model_copy(update=search)
        chosen = chosen.model_copy(update={"elasticsearch": search_section})
        origins["elasticsearch.url"] = "servers.elasticsearch_port"
    return replace(found, settings=chosen, origins=origins)
