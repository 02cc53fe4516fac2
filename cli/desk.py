"""What `tindon triage` and `tindon claims` share: the way to the road, and its answer."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.context import loaded
from cli.errors import UserError

if TYPE_CHECKING:
    from config import Settings
    from stores import Store
    from streams.documents import AuditDocument
    from streams.inputs import Decision

POLL_S = 0.1

PathOption = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="Folder of `tindon replay --out` or of the demo; else Kafka is used."
    ),
]
WaitOption = Annotated[
    float, typer.Option(metavar="S", help="Seconds to wait for what becomes of it; 0: do not wait.")
]
WhoOption = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Your name on the desk; else the one that you log in with."),
]


def name_of(who: str | None) -> str:
    """The analyst's name. Raises UserError when there is none."""
    import getpass

    if who is not None:
        return who
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        raise UserError("nobody is named as the author: give --who NAME") from None


def give(ctx: typer.Context, path: Path | None, records: Sequence[Decision]) -> None:
    """Hand records to the road; they are in its log or inbox on return. Raises UserError."""
    from agents.deciding import decide
    from agents.kafka.decide import send
    from embeddings.encoder import EncoderError
    from embeddings.pseudonym import KeyFileError
    from streams.codec import CodecError
    from streams.sqlite_database import DatabaseError

    chosen = loaded(ctx).settings
    try:
        if path is None:
            _quiet()
            send(chosen, records)
        else:
            decide(path, chosen, records)
    except CodecError as error:
        raise UserError(
            f"the checkpoint in {path} is damaged ({error}): delete the folder and replay again"
        ) from error
    except (DatabaseError, EncoderError, KeyFileError) as error:
        raise UserError(str(error)) from error


def store_of(ctx: typer.Context, path: Path | None) -> Store:
    """The store beside the road. Raises UserError."""
    from cli.apply import elasticsearch_store
    from stores import StoreError
    from stores.sqlite import SqliteStore

    found = loaded(ctx)
    try:
        if path is not None:
            return SqliteStore(path / "tindon.sqlite")
        if found.settings.store.kind == "sqlite" and found.origins["store.kind"] != "default":
            return SqliteStore(_state(found.settings) / "tindon.sqlite")
        return elasticsearch_store(found.settings)
    except StoreError as error:
        raise UserError(str(error)) from error


def answer(store: Store, action_id: str, wait_s: float) -> AuditDocument | None:
    """What became of an action, as soon as the store tells it; None when the time is over."""
    from stores import StoreError

    end = time.monotonic() + wait_s
    while True:
        try:
            found = store.action(action_id)
        except StoreError as error:
            raise UserError(str(error)) from error
        if found is not None or time.monotonic() >= end:
            return found
        time.sleep(POLL_S)


def _state(settings: Settings) -> Path:
    return settings.state_dir


def _quiet() -> None:
    import logging

    from agents.kafka.noise import quieten

    quieten(logging.getLogger())
