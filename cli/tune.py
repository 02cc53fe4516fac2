"""`tindon tune`: a sweep over settings on labelled posts, and what it would be worth."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from evaluation.tuning.frames import Reading

from cli.config import Format, FormatOption
from cli.context import settings
from cli.desk import PathOption
from cli.errors import Stopped, UserError, WrongUse
from cli.replay import RateOption


class Goal(StrEnum):
    RUMOR = "rumor"
    EVENT = "event"
    ALERTS = "alerts"


def register(app: typer.Typer) -> None:
    app.command("tune")(tune)


def tune(
    ctx: typer.Context,
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE...]",
            help="Labelled posts: JSON lines or CSV, .gz too. With --labels-from-desk: the posts, "
            "labelled or not; without any, those that the store holds.",
        ),
    ] = None,
    *,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for the study; called again, it goes on.")
    ],
    sets: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUES",
            help="A setting of the folds, as LOW:HIGH:STEP or A,B,C; may be given several times. "
            "Without it: both thresholds and alert.suggest.min_posts, 64 combinations.",
        ),
    ] = None,
    goal: Annotated[
        Goal | None,
        typer.Option(
            help="What to be after: F1 of rumors, of events or of alerts. "
            "Without it: rumors, or alerts when no swept setting moves posts.",
        ),
    ] = None,
    split: Annotated[
        float,
        typer.Option(
            metavar="SHARE", help="Share of the posts, in time, that choose; the rest tests."
        ),
    ] = 0.5,
    jobs: Annotated[
        int, typer.Option(metavar="N", help="Processes; 0: one for each processor.")
    ] = 0,
    assume_rate: RateOption = None,
    labels_from_desk: Annotated[
        bool,
        typer.Option(
            "--labels-from-desk",
            help="Take verdicts, dismissals, merges and splits out of the store as labels.",
        ),
    ] = False,
    path: PathOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Try combinations of settings on the first part of labelled posts, and test the choice on the rest.

    Posts are embedded once; an interrupted study goes on when it is called again. DIR gets
    report.html, results.json, the curves as PNG and proposed.yaml. Nothing running is changed.
    """
    from alerts import BadParameter
    from embeddings.encoder import EncoderError
    from embeddings.pseudonym import KeyFileError
    from evaluation import EvaluationError
    from evaluation.tuning import report
    from evaluation.tuning.frames import Reading
    from evaluation.tuning.grid import axes_of, default_axes
    from evaluation.tuning.results import natural_goal, results
    from evaluation.tuning.study import Plan, run
    from streams.sources.files import FileError

    files = files or []
    if not files and not labels_from_desk:
        raise WrongUse("give labelled files, or --labels-from-desk")
    if path is not None and not labels_from_desk:
        raise WrongUse("--path names a store for --labels-from-desk: give both or neither")
    if "-" in files:
        raise WrongUse("tune reads its files more than once: give files, not -")
    if not 0 < split < 1:
        raise WrongUse(f"--split {split:g} leaves one part empty: give a number between 0 and 1")
    if jobs < 0:
        raise WrongUse(f"--jobs {jobs} is not usable: give 0 or more")
    chosen = settings(ctx)
    try:
        axes = tuple(axes_of(sets or default_axes(chosen), chosen))
    except (EvaluationError, BadParameter) as error:
        raise WrongUse(str(error)) from error
    try:
        reading, notices = Reading(tuple(files), assume_rate), list[str]()
        if labels_from_desk:
            reading, notices = _from_desk(ctx, path, reading, out)
        plan = Plan(reading, axes, chosen, split, jobs)
        with progress() as show:
            study = run(plan, out, show)
        study.notices = notices + study.notices
        told = results(study, goal.value if goal else natural_goal(axes))
        report.write(told, out)
    except KeyboardInterrupt:
        raise Stopped(f"stopped; the same command goes on with what stands in {out}") from None
    except BadParameter as error:
        raise WrongUse(str(error)) from error
    except (EvaluationError, FileError, EncoderError, KeyFileError) as error:
        raise UserError(str(error)) from error
    typer.echo(report.as_json(told) if output is Format.JSON else report.text(told, out))


def _from_desk(
    ctx: typer.Context, path: Path | None, reading: Reading, out: Path
) -> tuple[Reading, list[str]]:
    """The desk's labels as a file of the study, the stored posts where no file is given, and what to
    tell of them."""
    import time

    import msgspec

    from cli.desk import store_of
    from evaluation.desk_labels import desk_labels, write_stretch
    from evaluation.tuning.frames import Reading
    from evaluation.tuning.study import folder_of, write_bytes
    from stores import StoreError

    if path is not None and not (path / "tindon.sqlite").is_file():
        raise UserError(f"{path} holds no tindon.sqlite: give the folder of `tindon replay --out`")
    store = store_of(ctx, path)
    try:
        folder, paths = folder_of(out), reading.paths
        labels = desk_labels(store)
        write_bytes(folder / "labels.json", msgspec.json.encode(labels))
        if not paths:
            write_stretch(store, folder / "stored.jsonl")
            paths = (str(folder / "stored.jsonl"),)
    except StoreError as error:
        raise UserError(str(error)) from error
    finally:
        store.close()
    told = [f"Labels: {labels.described(int(time.time() * 1000))}.", *labels.notices()]
    return Reading(paths, reading.assume_rate, str(folder / "labels.json")), told


def progress() -> AbstractContextManager[Callable[[str, int, int | None], None] | None]:
    """A bar with the time left on a terminal, nothing in a pipe."""
    return _Bar() if sys.stderr.isatty() else nullcontext()


class _Bar:
    """One row for each kind of work, in the order in which they begin."""

    def __enter__(self) -> Callable[[str, int, int | None], None]:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            speed_estimate_period=600,
        )
        self._tasks: dict[str, object] = {}
        self._bar.start()
        return self._show

    def _show(self, what: str, done: int, total: int | None) -> None:
        if what not in self._tasks:
            self._tasks[what] = self._bar.add_task(what, total=total)
        self._bar.update(self._tasks[what], completed=done, total=total)  # type: ignore[arg-type]

    def __exit__(self, *exc: object) -> None:
        self._bar.stop()
