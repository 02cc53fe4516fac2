"""`tindon apply`: topics, index templates and Kibana's objects as wanted; the plan first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from cli.apply_kibana import apply_kibana
from cli.context import loaded
from cli.errors import UserError, WrongUse

if TYPE_CHECKING:
    from config import Settings
    from stores.elasticsearch import ElasticsearchStore

Say = Callable[[str], None]


class Target(StrEnum):
    TOPICS = "topics"
    TEMPLATES = "templates"
    KIBANA = "kibana"


@dataclass(frozen=True)
class Done:
    """How many changes were made, or would be."""

    topics: int = 0
    templates: int = 0


def register(app: typer.Typer) -> None:
    app.command("apply")(apply)


def apply(
    ctx: typer.Context,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the plan and change nothing.")
    ] = False,
    only: Annotated[
        Target | None, typer.Option(help="One of them; else all, as far as they are used.")
    ] = None,
    kibana: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Kibana's address: import data views, dashboards and rules there."
        ),
    ] = None,
    console: Annotated[
        str | None,
        typer.Option(metavar="URL", help="The console's address for the links in Kibana."),
    ] = None,
) -> None:
    """Create or update topics in Kafka, index templates in Elasticsearch, objects in Kibana."""
    import logging

    from agents.kafka.noise import quieten

    found = loaded(ctx)
    quieten(logging.getLogger())
    if only == Target.KIBANA and kibana is None:
        raise WrongUse("--only kibana needs its address: --kibana URL")
    if kibana is None and console is not None:
        raise WrongUse("--console serves the links in Kibana: give --kibana URL too")
    done = Done()
    if only in (None, Target.TOPICS):
        done = apply_topics(found.settings, typer.echo, dry_run=dry_run)
    sqlite = found.settings.store.kind == "sqlite" and found.origins["store.kind"] != "default"
    if only is None and sqlite:
        typer.echo("templates  none needed: store.kind is sqlite")
    elif only in (None, Target.TEMPLATES):
        templates = apply_templates(found.settings, typer.echo, dry_run=dry_run)
        done = Done(done.topics, templates.templates)
    put = 0
    if kibana is not None and only in (None, Target.KIBANA):
        put = apply_kibana(found.settings, kibana, console, typer.echo, dry_run=dry_run)
    if dry_run and (done.topics or done.templates or put):
        typer.echo("nothing was changed: leave --dry-run out to do it")


def apply_topics(settings: Settings, say: Say, *, dry_run: bool = False) -> Done:
    """Wait for Kafka, print what its topics need, and do it. Raises BrokerError."""
    from streams.broker import Broker
    from streams.topics import Topics, carry_out, plan

    broker, topics = Broker(settings), Topics(settings)
    broker.wait()
    planned = plan(broker, topics)
    changes = len(planned.create) + len(planned.alter)
    count = len(topics.all())
    say(f"topics     at {broker.bootstrap}: {_counted(changes, f'all {count} as they should be')}")
    for topic in planned.create:
        partitions = "1 partition" if topic.partitions == 1 else f"{topic.partitions} partitions"
        say(f"           create {topic.name} ({partitions})")
    for one in planned.alter:
        say(f"           alter {one.topic}: {one.setting} from {one.stands} to {one.wanted}")
    if not dry_run:
        carry_out(broker, topics, planned)
    return Done(topics=changes)


def apply_templates(settings: Settings, say: Say, *, dry_run: bool = False) -> Done:
    """Print what Elasticsearch's templates need, and do it. Raises UserError."""
    from stores import StoreError

    try:
        store = elasticsearch_store(settings)
        try:
            standing = store.check()
            steps = store.plan()
            say(f"templates  {standing}: {_counted(len(steps), 'all as they should be')}")
            for step in steps:
                say(f"           {step}")
            if not dry_run:
                store.ensure_templates(lambda line: say(f"           {line}"))
        finally:
            store.close()
    except StoreError as error:
        raise UserError(str(error)) from error
    return Done(templates=len(steps))


def elasticsearch_store(settings: Settings) -> ElasticsearchStore:
    """The store that `elasticsearch` in the settings leads to. Raises StoreError."""
    import logging

    from stores.elasticsearch import Access, ElasticsearchStore

    # What its warnings say stands in the error that the user gets.
    logging.getLogger("elastic_transport").setLevel(logging.ERROR)
    e = settings.elasticsearch
    access = Access(
        url=e.url,
        username=e.username,
        password=e.password.get_secret_value(),
        api_key=e.api_key.get_secret_value(),
        ca_file=str(e.ca_file or ""),
        verify=e.verify,
        timeout_s=e.timeout_s,
    )
    return ElasticsearchStore(
        access, prefix=settings.store.prefix, shards=e.shards, replicas=e.replicas
    )


def _counted(changes: int, none: str) -> str:
    if not changes:
        return none
    return "1 change" if changes == 1 else f"{changes} changes"
