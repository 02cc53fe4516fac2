"""`tindon dead`: what could not be used, and its way back into `posts`."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from cli.context import settings
from cli.errors import WrongUse

if TYPE_CHECKING:
    from agents.kafka.letters import Wanted

SHOWN = 120  # characters of a letter's remains

ReasonOption = Annotated[
    list[str] | None,
    typer.Option("--reason", metavar="WORD", help="Only letters of this reason; may be repeated."),
]
SinceOption = Annotated[
    str | None,
    typer.Option(
        metavar="TIME", help="Only letters since then: 2026-01-31T08:00:00Z, 90m, 24h or 7d."
    ),
]

_UNITS_MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


def register(main: typer.Typer) -> None:
    main.add_typer(app, name="dead", help="Dead letters: list them, send their records again.")


@app.command("list")
def list_(
    ctx: typer.Context,
    reason: ReasonOption = None,
    since: SinceOption = None,
    limit: Annotated[
        int,
        typer.Option(metavar="N", min=0, help="At most N letters, the newest; counts are of all."),
    ] = 50,
) -> None:
    """List dead letters, masked, with their reason and the place of their record."""
    from agents.kafka.letters import read_letters
    from agents.replay_files import iso

    found = read_letters(settings(ctx), _wanted(reason, since))
    for letter in found[len(found) - min(limit, len(found)) :]:
        content = letter.content
        again = "  sent again" if letter.sent_again else ""
        typer.echo(f"{iso(letter.at)}  {letter.key}  {content.reason}  {content.input}{again}")
        typer.echo(f"    {content.detail}")
        if content.raw:
            typer.echo(f"    {' '.join(content.raw.split())[:SHOWN]}")
    counts = Counter(letter.content.reason for letter in found)
    told = ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items()))
    typer.echo(f"{len(found):,} dead letters" + (f": {told}" if told else ""))


@app.command("redrive")
def redrive_(
    ctx: typer.Context,
    reason: ReasonOption = None,
    since: SinceOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count what would be sent and send nothing.")
    ] = False,
) -> None:
    """Send the records of dead letters to `posts` again, each once, after their cause is mended."""
    from agents.kafka.letters import redrive

    done = redrive(settings(ctx), _wanted(reason, since), dry_run=dry_run)
    typer.echo(
        f"{done.sent:,} {'would be sent' if dry_run else 'sent'}, {done.before:,} sent before, "
        f"{done.gone:,} no longer kept in posts, {done.no_record:,} that are no record of posts"
    )


def _wanted(reasons: list[str] | None, since: str | None) -> Wanted:
    from agents.kafka.dead import DAMAGED, REFUSED
    from agents.kafka.letters import Wanted
    from streams.validation import REASONS

    known = {*REASONS, DAMAGED, REFUSED}
    for word in reasons or ():
        if word not in known:
            raise WrongUse(f"--reason {word}: give one of {', '.join(sorted(known))}")
    return Wanted(tuple(reasons or ()), 0 if since is None else _since(since))


def _since(given: str) -> int:
    """ms of a time, or of so long ago."""
    from streams.timestamps import TimestampError, parse_time

    if given[:-1].isdigit() and given[-1] in _UNITS_MS:
        return time.time_ns() // 1_000_000 - int(given[:-1]) * _UNITS_MS[given[-1]]
    try:
        return parse_time(given)
    except TimestampError as error:
        raise WrongUse(f"--since {given}: give a time like 2026-01-31T08:00:00Z, or 24h") from error
