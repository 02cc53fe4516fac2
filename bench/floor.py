"""How fast one process takes records from a topic and reads their JSON: the client, Faust, our transport.

    python -m bench.floor [--records N] [--bytes N] [--bootstrap HOST:PORT]

One topic of one partition, the same records for each reader, one after the other, each in a process of its
own that starts with a fresh consumer group: aiokafka's getmany (the floor of any worker in Python), Faust as
it is (`async for event in stream.events()`, acknowledged one by one), Faust with the batching transport
(`streams.faust_transport`, as the workers use it). Told: records/s from the first record to the last, and
records per second of processor time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import tempfile
import time
import uuid
from typing import Any

from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic

READERS = ("aiokafka", "Faust", "Faust, batched")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.floor", description=__doc__)
    parser.add_argument("--records", type=int, default=30_000)
    parser.add_argument("--bytes", type=int, default=400)
    parser.add_argument("--bootstrap", default="127.0.0.1:9092")
    given = parser.parse_args()
    topic = f"bench-floor-{uuid.uuid4().hex[:8]}"
    admin = KafkaAdminClient(bootstrap_servers=given.bootstrap)
    admin.create_topics([NewTopic(topic, 1, 1)])
    context = multiprocessing.get_context("spawn")
    try:
        _fill(given.bootstrap, topic, given.records, given.bytes)
        print("| reader | records/s | per second of processor time |")
        print("|---|---:|---:|")
        for name in READERS:
            answer = context.Queue()
            arguments = (name, given.bootstrap, topic, given.records, answer)
            process = context.Process(target=_read, args=arguments)
            process.start()
            seconds, cpu = answer.get(timeout=300)
            process.join()
            print(
                f"| {name} | {given.records / seconds:,.0f} | {given.records / cpu:,.0f} |",
                flush=True,
            )
    finally:
        admin.delete_topics([topic])
        admin.close()
    return 0


def _fill(bootstrap: str, topic: str, records: int, size: int) -> None:
    producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all", linger_ms=20)
    for number in range(records):
        post = {"id": str(number), "created_at": 1_700_000_000, "text": "x" * max(size - 60, 1)}
        producer.send(topic, json.dumps(post).encode(), partition=0)
    producer.flush()
    producer.close()


def _read(name: str, bootstrap: str, topic: str, records: int, answer: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        if name == "aiokafka":
            answer.put(asyncio.run(_aiokafka(bootstrap, topic, records)))
        else:
            answer.put(asyncio.run(_faust(bootstrap, topic, records, folder, "batched" in name)))


class _Clock:
    """Seconds and processor seconds from the first record to the last."""

    def __init__(self, records: int) -> None:
        self._left = records
        self._started: tuple[float, float] | None = None
        self.done = asyncio.Event()
        self.took = (0.0, 0.0)

    def take(self, values: list[bytes]) -> None:
        if self._started is None:
            self._started = (time.monotonic(), time.process_time())
        for value in values:
            json.loads(value)
        self._left -= len(values)
        if self._left <= 0 and not self.done.is_set():
            self.took = (
                time.monotonic() - self._started[0],
                time.process_time() - self._started[1],
            )
            self.done.set()


async def _aiokafka(bootstrap: str, topic: str, records: int) -> tuple[float, float]:
    from aiokafka import AIOKafkaConsumer

    clock = _Clock(records)
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap, group_id=uuid.uuid4().hex, auto_offset_reset="earliest"
    )
    await consumer.start()
    while not clock.done.is_set():
        for found in (await consumer.getmany(timeout_ms=500, max_records=2000)).values():
            clock.take([record.value for record in found])
    await consumer.stop()
    return clock.took


async def _faust(
    bootstrap: str, topic: str, records: int, folder: str, batched: bool
) -> tuple[float, float]:
    import faust

    from streams.faust_transport import consumer_url

    clock = _Clock(records)
    app = faust.App(
        uuid.uuid4().hex,
        broker=f"kafka://{bootstrap}",
        broker_consumer=consumer_url(bootstrap) if batched else f"kafka://{bootstrap}",
        store="memory://", web_enabled=False, topic_allow_declare=False, topic_disable_leader=True,
        consumer_auto_offset_reset="earliest", broker_max_poll_records=2000, datadir=folder,
        stream_buffer_maxsize=4 if batched else 2000, autodiscover=False, set_as_current=False,
    )  # fmt: skip

    @app.agent(app.topic(topic, key_serializer="raw", value_serializer="raw"))
    async def read(stream: Any) -> None:
        async for event in stream.noack().events():
            clock.take([r.value for r in event.value] if batched else [event.value])
            await stream.ack(event)

    app.finalize()
    app.client_only = False
    await app.start()
    await clock.done.wait()
    await app.stop()
    return clock.took


if __name__ == "__main__":
    raise SystemExit(main())
