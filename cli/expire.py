"""`tindon expire`: drop what the store holds past its age, as the worker does by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.context import settings
from cli.errors import UserError


def register(app: typer.Typer) -> None:
    app.command("expire")(expire)


def expire(
    ctx: typer.Context,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count what would go and drop nothing.")
    ] = False,
    path: Annotated[
        Path | None,
        typer.Option(metavar="FILE|DIR", help="An SQLite store, or a replay's --out folder."),
    ] = None,
) -> None:
    """Drop documents past their age (settings: retention); never those of an open rumor."""
    from agents.kafka.retention import ages_of, reached
    from agents.replay_files import iso
    from cli.console import opened_store
    from stores import StoreError

    chosen = settings(ctx)
    try:
        store, over = opened_store(chosen, chosen.store.kind, path)
        try:
            now = reached(store)
            if now is None:
                typer.echo(f"{over}: the store is empty")
                return
            gone = store.expire(ages_of(chosen), now, dry_run=dry_run)
        finally:
            store.close()
    except StoreError as error:
        raise UserError(str(error)) from error
    typer.echo(f"{over}, ages counted from {iso(now)}")
    for kind, count in sorted(gone.items()):
        typer.echo(f"  {kind:8}{count:>10}  {'would go' if dry_run else 'dropped'}")
