"""`tindon console`: the web console over a store, this installation's or a replay's."""

from __future__ import annotations

import signal
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.context import loaded, settings
from cli.errors import UserError, WrongUse

if TYPE_CHECKING:
    from cli.deeds import Deeds
    from config import Settings
    from stores import Store

FILE_NAME = "tindon.sqlite"  # in the state folder and in a replay's --out folder


class Kind(StrEnum):
    SQLITE = "sqlite"
    ELASTICSEARCH = "elasticsearch"


def register(app: typer.Typer) -> None:
    app.command("console")(console)


def console(
    ctx: typer.Context,
    store: Annotated[
        Kind | None, typer.Option(help="Where the documents are; else store.kind.")
    ] = None,
    path: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE|DIR",
            help="An SQLite store, or a folder that `tindon replay --out` wrote.",
        ),
    ] = None,
    port: Annotated[
        int | None, typer.Option(metavar="PORT", help="Port; else console.port.")
    ] = None,
    tune: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder with files of posts for the page Tune."),
    ] = None,
    desk: Annotated[
        bool,
        typer.Option(
            "--desk", help="Let analysts act on alerts from their pages; this machine only."
        ),
    ] = False,
) -> None:
    """Serve the console until Ctrl-C."""
    from config.taxonomy import load_taxonomy
    from console import create_app
    from console.guard import is_loopback
    from console.serving import ConsoleError, open_socket, server
    from stores import StoreError

    chosen = settings(ctx)
    if path is not None and store is Kind.ELASTICSEARCH:
        raise WrongUse("--path names an SQLite store: leave it out, or --store elasticsearch")
    host, wanted = chosen.console.host, chosen.console.port if port is None else port
    if desk and not is_loopback(host):
        raise WrongUse(
            f"--desk on {host}: the console asks nobody who they are, so it takes actions on "
            "127.0.0.1 only; leave --desk out, or set console.host to 127.0.0.1"
        )
    trials = None
    if tune is not None:
        from cli.trials import Trials

        trials = Trials(tune, chosen, loaded(ctx).file)
        # The server raises a signal again when it has stopped: a trial and its folder must not outlive that.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        listener = open_socket(host, wanted)
    except ConsoleError as error:
        raise UserError(str(error)) from error
    try:
        opened, over = opened_store(chosen, store or chosen.store.kind, path)
        try:
            app = create_app(
                opened, language=chosen.console.language, tune=trials,
                desk=_deeds(chosen, path) if desk else None,
                categories=load_taxonomy(chosen.embed.taxonomy).names(),
            )  # fmt: skip
            shown = f"[{host}]" if ":" in host else host
            typer.echo(f"console  http://{shown}:{listener.getsockname()[1]}/   over {over}")
            server(app, host).run(sockets=[listener])
        finally:
            opened.close()
    except StoreError as error:
        raise UserError(str(error)) from error
    finally:
        listener.close()
        if trials is not None:
            trials.close()


def _deeds(chosen: Settings, path: Path | None) -> Deeds:
    """Where actions go: into the folder of a replay, which holds its own log; else into Kafka."""
    from cli.deeds import Deeds

    return Deeds(chosen, path if path is None or path.is_dir() else path.parent)


def opened_store(chosen: Settings, kind: str, path: Path | None) -> tuple[Store, str]:
    """A store that is there, and where: the file at `path`, else what the settings lead to.

    Raises StoreError and UserError.
    """
    elsewhere = path is None and kind == "elasticsearch"
    return _elasticsearch(chosen) if elsewhere else _sqlite(chosen, path)


def _elasticsearch(chosen: Settings) -> tuple[Store, str]:
    from cli.apply import elasticsearch_store

    opened = elasticsearch_store(chosen)
    try:
        return opened, opened.check()
    except BaseException:
        opened.close()
        raise


def _sqlite(chosen: Settings, path: Path | None) -> tuple[Store, str]:
    from stores.sqlite import SqliteStore

    file = chosen.state_dir if path is None else path
    if path is None or path.is_dir():
        file = file / FILE_NAME
    if not file.is_file():  # opening would make an empty one
        raise UserError(_nothing_at(file, path))
    return SqliteStore(file), str(file)


def _nothing_at(file: Path, path: Path | None) -> str:
    if path is None:
        return (
            f"there is no store at {file}: give --path of a replay's --out folder, or "
            "--store elasticsearch for what `tindon up` runs"
        )
    if path.is_dir():
        return f"{path} holds no {FILE_NAME}: give the folder that `tindon replay --out` wrote"
    return f"there is no file {file}: give an SQLite store, or a replay's --out folder"
