"""`tindon settings`: which settings of the folds are in force, and others without a restart."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.config import Format, FormatOption
from cli.console import FILE_NAME
from cli.context import settings
from cli.errors import UserError, WrongUse

if TYPE_CHECKING:
    from config import Settings
    from streams.inputs import SettingsChange

PathOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE|DIR",
        help="A replay's or the demo's folder; without it, the workers on Kafka.",
    ),
]
CandidateArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="Settings file, read on top of your settings.")
]


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        no_args_is_help=True,
        rich_markup_mode=None,
        help="Show, compare and change the settings of running folds.",
    )
    group.command("show")(show)
    group.command("diff")(diff)
    group.command("apply")(apply)
    app.add_typer(group, name="settings")


def show(ctx: typer.Context, path: PathOption = None, output: FormatOption = Format.TEXT) -> None:
    """Print the settings in force, and every version that was applied before."""
    chosen = settings(ctx)
    applied = _applied(chosen, path)
    version, values = _in_force(chosen, applied)
    if output is Format.JSON:
        from msgspec import to_builtins

        told = {
            "version": version,
            "values": values,
            "applied": [to_builtins(change) for change in applied],
        }
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    since = _said(applied[-1]) if applied else "as the folds read them when they started"
    typer.echo(f"in force  {version}  {since}")
    wide = max(map(len, values))
    for name, value in values.items():
        typer.echo(f"  {name:<{wide}}  {json.dumps(value)}")
    if applied:
        typer.echo("applied, newest last")
    for change in applied:
        typer.echo(f"  {change.version}  {_said(change)}")


def diff(
    ctx: typer.Context,
    file: CandidateArgument,
    path: PathOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Print what FILE would change of the settings in force."""
    chosen = settings(ctx)
    wanted = _wanted(chosen, file)
    version, values = _in_force(chosen, _applied(chosen, path))
    changes = _changes(values, wanted)
    if output is Format.JSON:
        told = {"in_force": version, "file": wanted.sha256[:12], "changes": changes}
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    for name, (old, new) in changes.items():
        typer.echo(f"{name}: {_shown(old)} → {_shown(new)}")
    if not changes:
        typer.echo(f"{file} changes nothing: {version} is in force")


def apply(
    ctx: typer.Context,
    file: CandidateArgument,
    who: Annotated[str, typer.Option("--who", metavar="NAME", help="Who answers for the change.")],
    why: Annotated[
        str, typer.Option("--why", metavar="TEXT", help="The reason, kept with it.")
    ] = "",
    path: PathOption = None,
) -> None:
    """Put the settings of FILE in force in running folds, without a restart.

    The record has its place in the order of every log, so that a replay of the logs gives the same. To
    go back, apply the earlier file. Keep the lines in your settings file too: a new state begins with those.
    """
    from agents.applying import NotApplied, apply_on_kafka, apply_to_folder, change_of
    from alerts import BadParameter
    from streams.sqlite_database import DatabaseError

    if not who.strip():
        raise WrongUse("--who is empty: say who answers for the change")
    chosen = settings(ctx)
    wanted = _wanted(chosen, file)
    _, values = _in_force(chosen, _applied(chosen, path))
    changes = _changes(values, wanted)
    if not changes:
        typer.echo(f"{file} changes nothing")
        return
    try:
        change = change_of(wanted, who=who.strip(), at=int(time.time() * 1000), why=why.strip())
        if path is None:
            apply_on_kafka(wanted, change)
        else:
            apply_to_folder(_database(path), change)
    except BadParameter as error:
        raise WrongUse(str(error)) from error
    except (DatabaseError, NotApplied) as error:
        raise UserError(str(error)) from error
    for name, (old, new) in changes.items():
        typer.echo(f"{name}: {_shown(old)} → {_shown(new)}")
    typer.echo(f"applied   {change.version}")


def _wanted(chosen: Settings, file: Path) -> Settings:
    """Raises SettingsError for what no running fold can take up."""
    from config.changing import from_file, refused

    wanted = from_file(chosen, file)
    refused(chosen, wanted)
    return wanted


def _applied(chosen: Settings, path: Path | None) -> list[SettingsChange]:
    import logging

    from agents.applying import applied_on_kafka, applied_to_folder
    from agents.kafka.noise import quieten
    from streams.codec import CodecError
    from streams.sqlite_database import DatabaseError

    quieten(logging.getLogger())
    try:
        return applied_on_kafka(chosen) if path is None else applied_to_folder(_database(path))
    except (DatabaseError, CodecError) as error:
        raise UserError(str(error)) from error


def _database(path: Path) -> Path:
    file = path / FILE_NAME if path.is_dir() else path
    if not file.is_file():
        raise UserError(
            f"there is no {file}: give a folder that `tindon replay --out` wrote, or leave --path "
            "out for the workers on Kafka"
        )
    return file


def _in_force(chosen: Settings, applied: list[SettingsChange]) -> tuple[str, dict[str, Any]]:
    from config.changing import fold_values

    if applied:
        return applied[-1].version, applied[-1].values
    return chosen.sha256[:12], fold_values(chosen)


def _changes(values: dict[str, Any], wanted: Settings) -> dict[str, list[Any]]:
    from config.changing import fold_values

    new = fold_values(wanted)
    names = [*new, *(name for name in values if name not in new)]
    return {
        name: [values.get(name), new.get(name)]
        for name in names
        if values.get(name) != new.get(name)
    }


def _said(change: SettingsChange) -> str:
    when = datetime.fromtimestamp(change.at / 1000, UTC)
    return f"{when:%Y-%m-%d %H:%M:%S}Z by {change.who}{f': {change.why}' if change.why else ''}"


def _shown(value: Any) -> str:
    return "its own" if value is None else json.dumps(value)
