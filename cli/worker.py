"""`tindon worker`: the stages as Faust agents on Kafka."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.context import settings
from cli.errors import UserError, WrongUse


def register(app: typer.Typer) -> None:
    app.command("worker")(worker)


def worker(
    ctx: typer.Context,
    agents: Annotated[
        str, typer.Option(metavar="LIST", help="Which agents run here, separated by commas.")
    ] = "embed,cluster,alert,index",
    record: Annotated[
        bool, typer.Option("--record", help="Write what became of each post to a topic too.")
    ] = False,
    group: Annotated[
        str | None, typer.Option(metavar="NAME", help="Consumer group; else worker.group.")
    ] = None,
    instance_id: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Name of this worker in its group, for fast restarts."),
    ] = None,
    metrics_port: Annotated[
        int | None, typer.Option(metavar="N", help="Port for Prometheus; else worker.metrics_port.")
    ] = None,
) -> None:
    """Work on posts in Kafka until SIGTERM: embed, cluster, alert and index, here or in many processes."""
    names = _names(agents)
    given = {
        "record": record or None,
        "group": group,
        "instance_id": instance_id,
        "metrics_port": metrics_port,
    }
    chosen = settings(ctx)
    changes = {name: value for name, value in given.items() if value is not None}
    section = _checked(chosen.worker.model_dump() | changes)
    _run(chosen.model_copy(update={"worker": section}), names)


def _names(agents: str) -> list[str]:
    from agents.kafka.worker import STAGES

    names = [name.strip() for name in agents.split(",") if name.strip()]
    unknown = [name for name in names if name not in STAGES]
    if unknown or not names:
        raise WrongUse(f"--agents {agents}: give one or more of {', '.join(STAGES)}")
    return [name for name in STAGES if name in names]


def _checked(values: dict[str, object]) -> object:
    from pydantic import ValidationError

    from config.settings import Worker

    try:
        return Worker.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        option = "--" + str(first["loc"][0]).replace("_", "-")
        raise WrongUse(f"{option} {first['input']}: {first['msg'].lower()}") from error


def _run(chosen: object, names: list[str]) -> None:
    """Run; what a user can mend is a UserError."""
    import logging

    from agents.kafka.noise import quieten
    from agents.kafka.worker import run
    from alerts import UnknownSignal
    from embeddings.encoder import EncoderError
    from embeddings.pseudonym import KeyFileError
    from stores.base import StoreError
    from streams.checkpoints import CheckpointError
    from streams.records import WrongEncoder

    quieten(logging.getLogger())
    try:
        run(chosen, names)  # type: ignore[arg-type]
    except (
        CheckpointError, EncoderError, KeyFileError, StoreError, UnknownSignal, WrongEncoder
    ) as error:  # fmt: skip
        raise UserError(str(error)) from error
