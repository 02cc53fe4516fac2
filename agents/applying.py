"""Other settings for running folds: a record into every log, and the list of what was applied.

A record takes effect at its place in the order of each log. The list is a log of its own, so that the
version in force, and those before it, are found without reading the others.
"""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path

import msgspec
from msgspec import to_builtins

from agents.inbox import leave
from agents.kafka.logs import reader, records
from agents.kafka.producer import Producer, delivered
from agents.marks import APPLIED, RUN, RunMark
from agents.stages import alert_fold, alert_parameters, cluster_parameters, door_for
from config import Settings
from config.changing import fold_values
from streams.broker import Broker
from streams.codec import decode, encode
from streams.inputs import SettingsChange
from streams.sqlite_database import Database
from streams.sqlite_log import SqliteLog
from streams.topics import Topics, ensure


def change_of(settings: Settings, *, who: str, at: int, why: str = "") -> SettingsChange:
    """The record that brings these settings; `at` in ms since 1970.

    Raises BadParameter for a value that the folds cannot use.
    """
    alert_fold(settings, door_for(settings, None, replay=True))  # refuses what it cannot use
    return SettingsChange(
        id=uuid.uuid4().hex,
        version=settings.sha256[:12],
        who=who,
        at=at,
        why=why,
        cluster=to_builtins(cluster_parameters(settings)),
        alert=to_builtins(alert_parameters(settings)),
        values=fold_values(settings),
    )


def apply_on_kafka(settings: Settings, change: SettingsChange) -> None:
    """Send the change to every partition of `posts.embedded`, to `rumors.input`, then to the list.

    Raises BrokerError. Cut off in the middle, it can be sent again: the same settings twice are the
    same settings.
    """
    broker, topics = Broker(settings), Topics(settings)
    ensure(broker, topics, [topics.embedded, topics.changes, topics.applied])
    asyncio.run(_send(broker, topics, encode(change)))


async def _send(broker: Broker, topics: Topics, message: bytes) -> None:
    producer = Producer(broker)
    await producer.start()
    try:
        partitions = range(topics.embedded.partitions)
        sent = [await producer.send(topics.embedded, message, partition=p) for p in partitions]
        sent.append(await producer.send(topics.changes, message))
        await delivered(sent)
        await delivered([await producer.send(topics.applied, message)])
    finally:
        await producer.stop()


def applied_on_kafka(settings: Settings) -> list[SettingsChange]:
    """What was applied, oldest first. Raises BrokerError."""
    broker, topics = Broker(settings), Topics(settings)
    broker.wait()
    with broker.admin() as admin:
        if topics.applied.name not in set(admin.list_topics()):
            return []
    return asyncio.run(_applied(broker, topics))


async def _applied(broker: Broker, topics: Topics) -> list[SettingsChange]:
    async with reader(broker) as consumer:
        return [
            decode(record.value, SettingsChange)
            async for record in records(consumer, topics.applied)
        ]


class NotApplied(Exception):
    """Why nothing can take up a change; one line."""

    exit_code = 1


def apply_to_folder(path: Path, change: SettingsChange) -> None:
    """Leave the change for the embedded road over this database; it takes it up with its next posts.

    Raises NotApplied where no road runs, DatabaseError.
    """
    database = Database(path)
    try:
        blob = database.get_blob(RUN)
        if blob is not None and msgspec.msgpack.decode(blob, type=RunMark).finished:
            raise NotApplied(f"the replay in {path.parent} is finished: nothing runs there")
        with database.transaction():
            leave(database, [change])
            SqliteLog(database).append(APPLIED, [encode(change)])
    finally:
        database.close()


def applied_to_folder(path: Path) -> list[SettingsChange]:
    """What was applied to the embedded road over this database, oldest first. Raises DatabaseError."""
    database = Database(path)
    try:
        log = SqliteLog(database)
        kept = log.read(APPLIED, 0, log.end(APPLIED) + 1)
        return [decode(value, SettingsChange) for _, value in kept]
    finally:
        database.close()
