"""`tindon shadow`: a candidate's settings beside those in force, over files or the live topic."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.config import Format, FormatOption
from cli.context import settings
from cli.errors import UserError, WrongUse
from cli.replay import RateOption
from cli.tune import progress

if TYPE_CHECKING:
    from config import Settings


def register(app: typer.Typer) -> None:
    app.command("shadow")(shadow)


def shadow(
    ctx: typer.Context,
    candidate: Annotated[
        Path, typer.Option(metavar="FILE", help="Settings file to compare with those in force.")
    ],
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FILE...]", help="Posts; without a file, the live topic is read."),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(metavar="N", help="Live: stop after so long; else at Ctrl-C."),
    ] = None,
    to_end: Annotated[
        bool, typer.Option("--to-end", help="Live: stop where the log ends now.")
    ] = False,
    from_now: Annotated[
        bool,
        typer.Option(
            "--from-now", help="Live: begin with the next post, not with the log's first."
        ),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Keep shadow.json here, and the embedded posts of files."),
    ] = None,
    assume_rate: RateOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Fold the same posts under two settings: which alerts appear, vanish, come earlier or later.

    Nothing is written to the desk's store or topics, and nothing that runs is changed.
    """
    from alerts import BadParameter
    from config.changing import from_file, outside_folds
    from embeddings.encoder import EncoderError
    from embeddings.pseudonym import KeyFileError
    from evaluation import EvaluationError
    from evaluation.shadow.results import text
    from streams.records import WrongEncoder
    from streams.sources.files import FileError

    running = settings(ctx)
    wanted = from_file(running, candidate)
    outside_folds(running, wanted)
    if files and (minutes is not None or to_end or from_now):
        raise WrongUse("--minutes, --to-end and --from-now are for the live topic: give no files")
    if minutes is not None and not 0 < minutes < float("inf"):
        raise WrongUse(f"--minutes {minutes:g} is not usable: give a number above 0")
    if to_end and from_now:
        raise WrongUse("--from-now with --to-end reads nothing: leave one out")
    try:
        told = (
            _files(files, running, wanted, out, assume_rate)
            if files
            else _live(running, wanted, minutes, to_end, from_now)
        )
        if out is not None:
            _keep(told, out)
    except BadParameter as error:
        raise WrongUse(str(error)) from error
    except (EvaluationError, FileError, EncoderError, KeyFileError, WrongEncoder) as error:
        raise UserError(str(error)) from error
    typer.echo(json.dumps(told, ensure_ascii=False) if output is Format.JSON else text(told))


def _files(
    files: list[str], running: Settings, wanted: Settings, out: Path | None, rate: float | None
) -> dict[str, Any]:
    from evaluation.shadow.files import over_files
    from evaluation.tuning.frames import Reading

    if "-" in files:
        raise WrongUse("shadow reads its files more than once: give files, not -")
    with tempfile.TemporaryDirectory(prefix="tindon-shadow-") as scratch, progress() as show:
        work = Path(scratch) if out is None else out / "work"
        return over_files(Reading(tuple(files), rate), running, wanted, work, show)


def _live(
    running: Settings, wanted: Settings, minutes: float | None, to_end: bool, from_now: bool
) -> dict[str, Any]:
    import logging

    from agents.kafka.noise import quieten
    from evaluation.shadow.live import Span, over_topic

    quieten(logging.getLogger())
    span = Span(from_start=not from_now, minutes=minutes, to_end=to_end)
    with _live_status() as show:
        return over_topic(running, wanted, span, show)


def _live_status() -> AbstractContextManager[Callable[[int, int], None] | None]:
    return _Line() if sys.stderr.isatty() else nullcontext()


class _Line:
    """What a live shadow is at, on a terminal."""

    def __enter__(self) -> Callable[[int, int], None]:
        from rich.console import Console

        self._status = Console(stderr=True).status("waiting for posts")
        self._status.start()
        return lambda posts, ahead: self._status.update(
            f"{posts:,} posts folded, {ahead:,} records ahead; Ctrl-C ends and compares"
        )

    def __exit__(self, *exc: object) -> None:
        self._status.stop()


def _keep(told: dict[str, Any], out: Path) -> None:
    from evaluation.tuning.study import write_json

    try:
        out.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise UserError(f"{out} is no folder, nor can it become one: give another --out") from None
    write_json(out / "shadow.json", told)
