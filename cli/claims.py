"""`tindon claims`: claims that were verified before; imported, listed, shown."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.context import settings
from cli.desk import PathOption, WaitOption, WhoOption, answer, give, name_of, store_of
from cli.errors import UserError

if TYPE_CHECKING:
    from streams.documents import ClaimDocument

claims = typer.Typer(
    help="Claims that were verified before: import, list, show.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    app.add_typer(claims, name="claims")


@claims.command("import")
def import_(
    ctx: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="ClaimReview JSON-LD, or CSV (name it .csv).")
    ],
    who: WhoOption = None,
    path: PathOption = None,
    wait: WaitOption = 10.0,
) -> None:
    """Bring claims that others verified into the road; those that cannot be used are told, one a line.

    Into a folder without a replay they are left for its beginning. The same file again changes nothing.
    """
    from agents.claims import records_of
    from agents.stages import door_for, encoder_for
    from embeddings.encoder import EncoderError
    from embeddings.pseudonym import KeyFileError
    from streams.sources.claims import read_claims

    read = read_claims(file)
    for problem in read.problems:
        typer.echo(f"{file}, {problem.place}: left out: {problem.reason}", err=True)
    if not read.found:
        raise UserError(f"{file} holds no claim that can be used; see the lines above")
    chosen = settings(ctx)
    try:
        door = door_for(chosen, encoder_for(chosen), replay=True)
    except (EncoderError, KeyFileError) as error:
        raise UserError(str(error)) from error
    records = records_of(read.found, door, who=name_of(who), at=int(time.time() * 1000))
    give(ctx, path, records)
    refused = _refused(ctx, path, [record.id for record in records], wait)
    left = len(read.problems) + len(refused)
    typer.echo(f"{len(records) - len(refused)} claims brought, {left} left out")
    for reason in sorted(set(refused)):
        typer.echo(f"refused: {reason}", err=True)
    if refused:
        raise typer.Exit(1)


def _refused(ctx: typer.Context, path: Path | None, ids: list[str], wait: float) -> list[str]:
    """Why claims were refused, as far as the road says so in time."""
    if wait <= 0:
        return []
    store = store_of(ctx, path)
    try:
        # In the log's order: when the last one is answered, all are.
        if answer(store, ids[-1], 0 if path is not None else wait) is None:
            return []
        told = [store.action(name) for name in ids]
    finally:
        store.close()
    return [one.reason for one in told if one is not None and not one.taken]


@claims.command("list")
def list_(
    ctx: typer.Context,
    path: PathOption = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest.")] = 50,
) -> None:
    """List known claims, the newest first: id, verdict, how often it came back, its first text."""
    store = store_of(ctx, path)
    try:
        found = store.claims(limit=limit)
    finally:
        store.close()
    if not found:
        typer.echo("no claim is known yet: a verdict makes one, or `tindon claims import FILE`")
    for claim in found:
        verdict = f"{claim.verdict or '-'}{' (muted)' if claim.muted else ''}"
        text = " ".join(claim.texts[0].text.split())
        typer.echo(f"{claim.claim_id}  {verdict:<22} {claim.returned:>4}  {text[:90]}")


@claims.command("show")
def show(
    ctx: typer.Context,
    claim_id: Annotated[str, typer.Argument(metavar="CLAIM", help="Id of a claim.")],
    path: PathOption = None,
) -> None:
    """Show a known claim: its texts, verdict, source, correction, and how often it came back."""
    store = store_of(ctx, path)
    try:
        claim = store.claim(claim_id)
    finally:
        store.close()
    if claim is None:
        raise UserError(f"no claim {claim_id} is known: see `tindon claims list`")
    for name, value in _lines(claim):
        if value:
            typer.echo(f"{name:<12} {value}")


def _lines(claim: ClaimDocument) -> list[tuple[str, str]]:
    return [
        ("claim", claim.claim_id),
        *((f"text ({text.lang})", text.text) for text in claim.texts),
        ("verdict", f"{claim.verdict or 'none'}{', muted' if claim.muted else ''}"),
        ("rating", claim.rating),
        ("source", claim.source),
        ("published", _date(claim.published_at)),
        ("correction", claim.correction),
        ("link", claim.link),
        ("origin", claim.origin),
        ("alert", claim.alert_id or ""),
        ("known since", _date(claim.since)),
        ("came back", str(claim.returned)),
        ("encoder", claim.encoder),
    ]


def _date(ms: int | None) -> str:
    return (
        "" if ms is None else datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="minutes")
    )
