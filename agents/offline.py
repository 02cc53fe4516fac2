"""An offline fold of the logs on Kafka: what the workers should have said, whatever happened to them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, NamedTuple

from agents.embedded import Results
from agents.kafka.logs import reader
from agents.recorded import Told, inputs_of, read_posts, write_told
from agents.stages import stages
from config import Settings
from streams.broker import Broker
from streams.codec import encode
from streams.inputs import RumorInput
from streams.records import Change
from streams.topics import Topics


class Comparison(NamedTuple):
    """The log of changes against what the fold of the frames gives."""

    changes: int
    missing: list[int]  # sequence numbers
    different: list[int]  # their bytes are not those of the fold
    unknown: list[int]  # in the log, and not out of the fold


def write_offline(settings: Settings, out: Path) -> tuple[dict[str, Any], Comparison]:
    """Fold `posts.embedded` from its beginning and write the files of a replay; returns the summary.

    Raises BrokerError, CodecError, WrongEncoder.
    """
    return asyncio.run(_write(settings, out))


async def _write(settings: Settings, out: Path) -> tuple[dict[str, Any], Comparison]:
    topics = Topics(settings)
    _, cluster, alert = stages(settings, replay=True)
    logged: dict[int, set[bytes]] = {}
    order: list[int | RumorInput] = []  # sequence of a change, or what people decided
    async with reader(Broker(settings)) as consumer:
        posts = await read_posts(consumer, topics)
        async for record, message in inputs_of(consumer, topics):
            if isinstance(record, Change):
                if record.sequence not in logged:
                    order.append(record.sequence)
                logged.setdefault(record.sequence, set()).add(message)
            else:
                order.append(record)
    changes = {change.sequence: change for r in posts.embedded for change in cluster.take(r)}
    folded = {sequence: encode(change) for sequence, change in changes.items()}
    order += sorted(folded.keys() - logged.keys())
    said: list[Results] = []
    for one in order:
        if not isinstance(one, int):
            effects = alert.take(one)
        elif one in changes:
            effects = alert.apply(changes[one])
        else:
            continue
        e = effects
        said.append(Results(e.assigned, e.merged, e.raised, e.closed, [], e.moved))
    said.append(Results([], [], [], [], posts.dead))
    comparison = Comparison(
        len(folded),
        missing=sorted(folded.keys() - logged.keys()),
        different=sorted(n for n in folded.keys() & logged.keys() if logged[n] != {folded[n]}),
        unknown=sorted(logged.keys() - folded.keys()),
    )
    told = Told(said, posts.inputs)
    return write_told(settings, out, told, alert.open_documents(), 0.0), comparison
