"""`tindon config`: what the settings are, and where each came from."""

from __future__ import annotations

import json
from enum import StrEnum
from importlib import resources
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.context import loaded

if TYPE_CHECKING:
    from config import Loaded, Settings


class Format(StrEnum):
    TEXT = "text"
    JSON = "json"


FormatOption = Annotated[
    Format, typer.Option("--format", help="Lines for people, or one JSON object.")
]


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        no_args_is_help=True, rich_markup_mode=None, help="Show the settings, and check them."
    )
    group.command("show")(show)
    group.command("path")(path)
    group.command("check")(check)
    app.add_typer(group, name="config")


def show(ctx: typer.Context, output: FormatOption = Format.TEXT) -> None:
    """Print each setting, its value and where the value comes from; secrets stay hidden."""
    found = loaded(ctx)
    rows = [(name, shown(found.settings, name), found.origins[name]) for name in found.origins]
    if output is Format.JSON:
        settings = {name: {"value": value, "origin": origin} for name, value, origin in rows}
        file = str(found.file) if found.file else None
        answer = {"file": file, "sha256": found.settings.sha256, "settings": settings}
        typer.echo(json.dumps(answer, ensure_ascii=False, indent=2))
        return
    lines = [(name, json.dumps(value, ensure_ascii=False), origin) for name, value, origin in rows]
    wide = [max(len(line[column]) for line in lines) for column in (0, 1)]
    for name, text, origin in lines:
        typer.echo(f"{name:<{wide[0]}}  {text:<{wide[1]}}  {origin}")


def path(ctx: typer.Context) -> None:
    """Print the file with all settings and their meaning, and your own file if one is read."""
    found = loaded(ctx)
    typer.echo(f"defaults  {resources.files('config').joinpath('default.yaml')}")
    typer.echo(f"yours     {found.file.absolute() if found.file else 'none'}")


def check(ctx: typer.Context) -> None:
    """Read all settings; exit 2 with one line when one of them cannot be used."""
    found = loaded(ctx)
    _usable(found.settings)
    typer.echo(summary(found))


def _usable(settings: Settings) -> None:
    """What names stand for: the taxonomy's file, signals, categories. Raises SettingsError."""
    from agents.stages import alert_parameters
    from alerts.parameters import BadParameter
    from alerts.signals import measures
    from config import SettingsError
    from config.taxonomy import load_taxonomy

    load_taxonomy(settings.embed.taxonomy)
    parameters = alert_parameters(settings)
    try:
        measures(parameters.weights, parameters.thresholds)
    except BadParameter as error:
        raise SettingsError(str(error)) from None


def summary(found: Loaded) -> str:
    """One line: how many settings there are and how many differ in origin from the defaults."""
    mine = sum(origin != "default" for origin in found.origins.values())
    file = f", file {found.file}" if found.file else ""
    return f"good: {len(found.origins)} settings, {mine} of them yours{file}"


def shown(settings: Settings, name: str) -> Any:
    """The value as JSON may hold it; a secret tells only whether it is set."""
    from pydantic import BaseModel, SecretStr

    value: Any = settings
    for part in name.split("."):
        value = getattr(value, part) if isinstance(value, BaseModel) else value[part]
    if isinstance(value, SecretStr):
        return "(set)" if value.get_secret_value() else ""
    return value if isinstance(value, bool | int | float | str | dict) else _plain(value)


def _plain(value: Any) -> Any:
    if value is None:
        return ""
    return list(value) if isinstance(value, tuple) else str(value)
