"""`tindon ingest`: files of posts into Kafka."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Annotated

import typer

from cli.context import settings
from cli.errors import UserError
from cli.replay import AsIsOption, FilesArgument, RateOption

Show = Callable[[int, int | None], None]  # records so far, records in all


def register(app: typer.Typer) -> None:
    app.command("ingest")(ingest)


def ingest(
    ctx: typer.Context,
    files: FilesArgument,
    as_is: AsIsOption = False,
    assume_rate: RateOption = None,
    rate: Annotated[
        float | None, typer.Option(metavar="N", help="At most N records per second; else flat out.")
    ] = None,
) -> None:
    """Send posts from files to Kafka, and wait until they are all in its log."""
    import logging

    from agents.kafka.ingest import Intake, ingest_files
    from agents.kafka.noise import quieten
    from embeddings.pseudonym import KeyFileError
    from streams.sources.files import FileError

    if rate is not None and rate <= 0:
        raise UserError(f"--rate {rate:g} is not usable: give a number above 0")
    chosen = settings(ctx)
    quieten(logging.getLogger())
    with _bar() as show:
        try:
            done = ingest_files(
                files,
                chosen,
                Intake(as_is=as_is, assume_rate=assume_rate, rate=rate, on_progress=show),
            )
        except (FileError, KeyFileError) as error:
            raise UserError(str(error)) from error
    too_large = f", {done.too_large:,} too large for the topic" if done.too_large else ""
    typer.echo(
        f"{done.records:,} records and {done.ticks:,} ticks in {done.topic}, "
        f"{done.seconds:.1f} s, {done.records / max(done.seconds, 1e-9):,.0f} records/s{too_large}"
    )
    if done.too_old:
        typer.echo(
            "these posts are older than cluster.window_days, so no alert comes of them while time is "
            "wall time: start worker and ingest with TINDON_TIME__TICKS=event",
            err=True,
        )


def _bar() -> AbstractContextManager[Show | None]:
    """A bar on a terminal, nothing in a pipe."""
    return _Bar() if sys.stderr.isatty() else nullcontext()


class _Bar:
    def __enter__(self) -> Show:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

        self._progress = Progress(
            "records", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
            console=Console(stderr=True),
        )  # fmt: skip
        self._task = self._progress.add_task("records", total=None)
        self._progress.start()
        return self._show

    def _show(self, done: int, total: int | None) -> None:
        self._progress.update(self._task, completed=done, total=total)

    def __exit__(self, *exc: object) -> None:
        self._progress.stop()
