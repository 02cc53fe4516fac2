"""`tindon grow`: more partitions of `posts.embedded`, so that more cluster folds share the work."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.context import settings
from cli.errors import UserError


def register(app: typer.Typer) -> None:
    app.command("grow")(grow)


def grow(
    ctx: typer.Context,
    partitions: Annotated[
        int, typer.Argument(min=1, help="How many in all: a multiple of what there are.")
    ],
) -> None:
    """Add partitions of posts.embedded while the workers stand still; see docs/worker.md."""
    import logging

    from agents.kafka.growing import grow as add
    from agents.kafka.noise import quieten
    from agents.kafka.worker import checkpoint_store
    from embeddings.encoder import EncoderError
    from embeddings.pseudonym import KeyFileError
    from streams.broker import Broker
    from streams.checkpoints import CheckpointError
    from streams.records import WrongEncoder
    from streams.topics import Topics

    chosen = settings(ctx)
    quieten(logging.getLogger())
    try:
        store = checkpoint_store(chosen, Broker(chosen), Topics(chosen))
        done = add(chosen, partitions, store)
    except (CheckpointError, EncoderError, KeyFileError, WrongEncoder) as error:
        raise UserError(str(error)) from error
    typer.echo(
        f"{done.before} partitions were there, {done.after} are; {done.begun} of them go on from another's "
        f"state: start the workers with kafka.embedded_partitions={done.after}"
    )
