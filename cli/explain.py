"""`tindon explain`: the arithmetic of a rumor's score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.desk import PathOption, store_of
from cli.errors import UserError

if TYPE_CHECKING:
    from streams.documents import RumorDocument

MERGES = 100  # merges that are followed to the rumor that stands now


def register(app: typer.Typer) -> None:
    app.command("explain")(explain)


def explain(
    ctx: typer.Context,
    rumor: Annotated[str, typer.Argument(metavar="RUMOR", help="Id of a rumor, or of its alert.")],
    path: PathOption = None,
) -> None:
    """Say how a rumor's score comes about: each signal's value, threshold, weight and part.

    The numbers are those of its document in the store; their sum is its score.
    """
    from stores import StoreError

    store = store_of(ctx, path)
    try:
        alert = store.alert(rumor)
        found = store.rumor(alert.rumor_id if alert else rumor)
        for _ in range(MERGES):
            if found is None or found.merged_into is None:
                break
            typer.echo(f"{found.rumor_id} was merged into {found.merged_into}")
            found = store.rumor(found.merged_into)
    except StoreError as error:
        raise UserError(str(error)) from error
    finally:
        store.close()
    if found is None:
        raise UserError(
            f"there is no rumor or alert {rumor!r} in the store: check the id, or give --path"
        )
    typer.echo(arithmetic(found))


def arithmetic(rumor: RumorDocument) -> str:
    """The sum, a line a signal, ending in the score as the document has it."""
    lines = [f"{rumor.rumor_id}  {rumor.headline}"]
    if rumor.category:
        lines.append(f"category {rumor.category}, confidence {rumor.category_confidence:.2f}")
    lines.append("")
    lines.append(f"{'signal':<18}{'value':>12}{'threshold':>12}{'weight':>9}{'part':>10}")
    total = 0.0
    for signal in rumor.signals:
        part = signal.weight * min(signal.value / signal.threshold, 1.0)
        total += part
        lines.append(
            f"{signal.name:<18}{signal.value:>12g}{signal.threshold:>12g}{signal.weight:>9g}"
            f"{part:>10.4f}  {signal.definition}"
        )
    score = round(min(max(total, 0.0), 1.0), 4)
    lines.append("")
    if round(total, 4) != score:
        lines.append(f"sum {total:.4f}, kept within 0 and 1")
    lines.append(f"score {score:g}" + (f"  level {rumor.level}" if rumor.level else ""))
    return "\n".join(lines)
