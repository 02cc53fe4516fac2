"""`tindon evaluate`: a replay of labelled posts, and how well it did."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from cli.config import Format, FormatOption
from cli.errors import UserError, WrongUse
from cli.replay import AsIsOption, FilesArgument, RateOption, run
from cli.stopping import stopping


def register(app: typer.Typer) -> None:
    app.command("evaluate")(evaluate)


def evaluate(
    ctx: typer.Context,
    files: FilesArgument,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Keep the replay, results.json and report.html here."),
    ] = None,
    as_is: AsIsOption = False,
    assume_rate: RateOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Replay labelled posts and score them: clustering, mistakes, alerts.

    Labels are the fields `cluster` (a story's name, or null) and `label`. Files without any label
    give counts and alerts, no scores. With --out, an interrupted evaluation goes on when it is called
    again the same way, and a finished replay is not done twice.
    """
    if "-" in files:
        raise WrongUse("evaluate reads its files twice: give files, not -")
    with stopping(out), tempfile.TemporaryDirectory(prefix="tindon-evaluate-") as scratch:
        from agents.replay import ReplayOptions
        from evaluation import EvaluationError, cli_text, render, score

        folder = out or Path(scratch)
        run(
            ctx,
            files,
            folder,
            lambda show: ReplayOptions(
                as_is=as_is,
                assume_rate=assume_rate,
                on_progress=show,
                on_kept=lambda: typer.echo(
                    f"replay  the one in {folder} is kept: same files, settings and program",
                    err=True,
                ),
            ),
        )
        try:
            results = score(folder, files, allow_unlabelled=True, assume_rate=assume_rate)
            if out is not None:
                render(results, out)
        except EvaluationError as error:
            raise UserError(str(error)) from error
    typer.echo(
        json.dumps(results, ensure_ascii=False) if output is Format.JSON else cli_text(results)
    )
    if out is not None and output is not Format.JSON:
        typer.echo(f"report  {out / 'report.html'}")
