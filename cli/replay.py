"""`tindon replay`: files of posts through the whole embedded road."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.context import settings
from cli.errors import UserError, WrongUse
from cli.stopping import stopping

if TYPE_CHECKING:
    from agents.told import Progress

FilesArgument = Annotated[
    list[str],
    typer.Argument(metavar="FILE...", help="JSON lines or CSV, .gz too; - is standard input."),
]
AsIsOption = Annotated[
    bool, typer.Option("--as-is", help="Keep the files' order instead of sorting by time.")
]
RateOption = Annotated[
    float | None,
    typer.Option(
        metavar="N", help="Give posts without time steady times, N per hour from 2020-01-01Z."
    ),
]


def register(app: typer.Typer) -> None:
    app.command("replay")(replay)


def replay(
    ctx: typer.Context,
    files: FilesArgument,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the results.")],
    as_is: AsIsOption = False,
    assume_rate: RateOption = None,
    speed: Annotated[
        float | None,
        typer.Option(metavar="X", help="Go X times as fast as the posts came; else flat out."),
    ] = None,
    processes: Annotated[
        int | None,
        typer.Option(
            min=1, max=2, help="1 or 2; else two for large files. The results are the same."
        ),
    ] = None,
) -> None:
    """Replay posts from files: rumors, alerts and what became of every post, in DIR.

    An interrupted replay goes on when it is called again the same way.
    """
    if speed is not None and not 0 < speed < math.inf:
        raise WrongUse(f"--speed {speed:g} is not usable: give a number above 0")
    from agents.front_child import started_for

    # The child imports what it needs while this process does.
    with stopping(out), started_for(files, processes) as child:
        from agents.replay import ReplayOptions

        summary = run(
            ctx,
            files,
            out,
            lambda show: ReplayOptions(
                as_is=as_is,
                assume_rate=assume_rate,
                speed=speed,
                processes=processes,
                child=child,
                on_progress=show,
            ),
        )
    typer.echo(described(summary, out))
    if not summary["folded"] + summary["duplicates"] + summary["late"]:
        raise UserError(f"no valid post among {summary['dead']}: {out / 'dead.jsonl'} tells why")


def run(
    ctx: typer.Context, files: list[str], out: Path, options: Callable[[Any], Any]
) -> dict[str, Any]:
    """A replay with a progress bar on a terminal; whatever a user can mend is a UserError."""
    from agents.front_process import FrontEnded
    from agents.replay import ReplayError
    from agents.replay import replay as replay_files
    from alerts import BadParameter
    from embeddings.encoder import EncoderError
    from embeddings.pseudonym import KeyFileError
    from stores.base import StoreError
    from streams.codec import CodecError
    from streams.sources.files import FileError
    from streams.sqlite_database import DatabaseError

    mendable = (
        BadParameter,
        DatabaseError,
        EncoderError,
        FileError,
        FrontEnded,
        KeyFileError,
        ReplayError,
        StoreError,
    )
    chosen = settings(ctx)
    with progress_bar() as show:
        try:
            return replay_files(files, out, chosen, options(show))
        except CodecError as error:
            raise UserError(
                f"the checkpoint in {out} is damaged ({error}): delete the folder and replay again"
            ) from error
        except mendable as error:
            raise UserError(str(error)) from error


def progress_bar() -> AbstractContextManager[Callable[[Progress, int | None], None] | None]:
    """A bar on a terminal, nothing in a pipe."""
    return _Bar() if sys.stderr.isatty() else nullcontext()


class _Bar:
    def __enter__(self) -> Callable[[Progress, int | None], None]:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[alerts]}"),
            console=Console(stderr=True),
        )
        self._task = self._bar.add_task("posts", total=None, alerts="")
        self._bar.start()
        return self._show

    def _show(self, progress: Progress, total: int | None) -> None:
        self._bar.update(
            self._task,
            completed=progress.posts_in,
            total=total,
            alerts=f"{progress.suggest} suggest, {progress.confirm} confirm",
        )

    def __exit__(self, *exc: object) -> None:
        self._bar.stop()


def described(summary: dict[str, Any], out: Path) -> str:
    """The summary as a few lines."""
    dead = ", ".join(f"{n} {reason}" for reason, n in summary["dead_by_reason"].items())
    alerts = summary["alerts"]
    return "\n".join(
        [
            f"posts   {summary['posts_in']:>9,}  folded {summary['folded']:,}, "
            f"duplicates {summary['duplicates']:,}, late {summary['late']:,}, "
            f"dead {summary['dead']:,}{f' ({dead})' if dead else ''}",
            f"rumors  {summary['rumors']:>9,}  in {summary['events']:,} events",
            f"alerts  {alerts['suggest']:>9,}  suggest, {alerts['confirm']:,} confirm",
            f"speed   {summary['posts_per_s']:>9,.0f}  posts/s in {summary['wall_s']:.1f} s, "
            f"{summary['peak_rss_bytes'] / 2**20:.0f} MiB, "
            f"encoder {summary['encoder'].split('/')[0]}",
            f"files   {out}",
        ]
    )
