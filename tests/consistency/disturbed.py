"""A stream of invented posts through real workers while something breaks, and what must hold after it.

Each fault is noted with the work that it fell into; `verdict` fails when a fault fell into none, when
anything was lost or doubled, or when the road and the store say another byte than an offline fold of the
recorded logs.
"""

from __future__ import annotations

import heapq
import itertools
import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from kafka import KafkaConsumer, KafkaProducer
from kafka.structs import TopicPartition

from agents.offline import write_offline
from agents.recorded import Resent, write_recorded
from deploy.local import Kafka
from deploy.local.process import members, read_record
from stores.elasticsearch.names import place
from stores.elasticsearch.shapes import shape
from stores.sqlite import SqliteStore
from streams.documents import AlertDocument, PostDocument, RumorDocument, TrendDocument
from streams.sources.scenario import generate
from tests.kafka_road import STAGES, KafkaRoad, same_files

Worker = subprocess.Popen[bytes]

FOLDS = ("cluster", "alert")
KINDS = {
    "rumors": RumorDocument,
    "alerts": AlertDocument,
    "posts": PostDocument,
    "trends": TrendDocument,
}
_SAVED = re.compile(
    r'^tindon_checkpoint_timestamp_seconds\{partition="0",stage="cluster"\} (\S+)$', re.M
)
_shape = msgspec.json.Encoder(order="deterministic").encode


class Fault(NamedTuple):
    """What was done to the road, and the records of each stage that were not committed then."""

    what: str
    unfinished: dict[str, int]


class Disturbed:
    """One road and the stream that runs through it."""

    def __init__(self, road: KafkaRoad, rate: int, seed: int = 0) -> None:
        self.road = road
        self.posts = 0  # lines given to the stream so far
        self.faults: list[Fault] = []
        self.chance = random.Random(seed)
        self.file = (
            road.folder / "stdin"
        )  # all lines, under the name that the intake gives their source
        self._ingest = subprocess.Popen(
            road.command("ingest", "-", "--rate", str(rate)),
            cwd=road.folder, env=road.environment,
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        self._over = threading.Event()
        self._feeding = threading.Thread(target=self._feed, daemon=True)
        self._feeding.start()

    def _feed(self) -> None:
        """Lines for as long as faults take; the intake keeps the pace."""
        pipe = self._ingest.stdin
        assert pipe is not None
        with self.file.open("wb") as kept, suppress(BrokenPipeError), pipe:
            for line in rough_lines():
                if self._over.is_set():
                    return
                pipe.write(line)
                pipe.flush()
                kept.write(line)
                self.posts += 1

    # --- faults

    def unfinished(self) -> dict[str, int]:
        """Records that stand in each stage's topic and are not committed."""
        reads = {"embed": self.road.topics.posts, "cluster": self.road.topics.embedded,
                 "alert": self.road.topics.changes, "index": self.road.topics.alerts}  # fmt: skip
        left = {}
        for stage in STAGES:
            ends, done = self.road.ends(reads[stage]), self.road.committed(stage)
            left[stage] = sum(end - done.get(p, 0) for p, end in ends.items())
        return left

    def await_work(self) -> None:
        """Until changes stand in the log that came after the cluster fold's last commit."""
        road = self.road
        for _ in road.waiting("work that no checkpoint covers", every_s=0.05):
            assert self._ingest.poll() is None, "the stream has ended"
            before, made = road.committed("cluster"), road.ends(road.topics.changes)[0]
            time.sleep(0.3)
            if (
                road.committed("cluster") == before
                and road.ends(road.topics.changes)[0] > made > 20
            ):
                return

    def note(self, what: str) -> None:
        self.faults.append(Fault(what, self.unfinished()))

    def holder(self) -> Worker:
        """The worker that saved the cluster fold last."""
        found: list[tuple[float, Worker]] = []
        for _ in self.road.waiting("a checkpoint of the cluster fold"):
            for worker in self.alive():
                with suppress(OSError):
                    if saved := _SAVED.search(metrics(worker)):
                        found.append((float(saved[1]), worker))
            if found:
                return max(found, key=lambda one: one[0])[1]
        raise AssertionError

    def alive(self) -> list[Worker]:
        return [worker for worker in self.road.workers if worker.poll() is None]

    def join(self, *options: str) -> Worker:
        """A worker more; returns when it has its place in the groups."""
        worker = self.road.start_worker(*options)
        count = len(self.alive())
        self.road.until(lambda: self.road.members("cluster") >= count, f"{count} workers")
        return worker

    def kill(self, worker: Worker) -> None:
        self.note("SIGKILL")
        worker.send_signal(signal.SIGKILL)
        worker.wait(10)

    def terminate(self, worker: Worker) -> None:
        self.note("SIGTERM")
        worker.terminate()
        assert worker.wait(30) == 0, self.road.log_of(worker)

    def stall(self, worker: Worker, seconds: float) -> None:
        """The worker stands still for longer than its session, and wakes."""
        self.note("SIGSTOP of a worker")
        worker.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        worker.send_signal(signal.SIGCONT)

    def damage_checkpoint(self, fold: str) -> None:
        """The newest checkpoint of a fold is not what its manifest says, from now on."""
        topic = self.road.topics.checkpoints.name
        address = self.road.settings.kafka.bootstrap
        consumer = KafkaConsumer(bootstrap_servers=address)
        place = TopicPartition(topic, 0)
        consumer.assign([place])
        consumer.seek_to_beginning(place)
        prefix = f"{fold}/0/".encode()
        found = []
        [end] = consumer.end_offsets([place]).values()
        while consumer.position(place) < end:
            for record in consumer.poll(500).get(place, []):
                if record.key.startswith(prefix):
                    found.append((json.loads(record.value), record.key))
        consumer.close()
        manifest, key = max(found, key=lambda one: one[0]["generation"])
        assert manifest["generation"] > 1, "there is no earlier checkpoint"
        producer = KafkaProducer(bootstrap_servers=address, acks="all")
        spoiled = json.dumps(manifest | {"digest": "0" * 64}).encode()
        producer.send(topic, spoiled, key=key, partition=0).get(30)
        producer.close()

    # --- the end

    def drain(self) -> None:
        """The whole stream is in, and all of it worked on."""
        self._over.set()
        self._feeding.join(60)
        assert self._ingest.wait(120) == 0, self._ingest.stderr and self._ingest.stderr.read()
        self.road.finish()

    def close(self) -> None:
        self._over.set()
        if self._ingest.poll() is None:
            self._ingest.kill()
        self._ingest.wait(10)
        self._feeding.join(10)
        assert self._ingest.stderr is not None
        self._ingest.stderr.close()

    def verdict(self, documents: dict[str, dict[str, Any]] | None = None) -> Resent:
        """Compare all that the road left behind with an offline fold of its logs.

        `documents`: what the store holds; the road's own SQLite store if not given.
        """
        for fault in self.faults:
            assert any(fault.unfinished[stage] for stage in FOLDS), f"{fault} fell into no work"
        road, folder = self.road, self.road.folder
        summary, resent = write_recorded(road.settings, folder / "recorded")
        expected = SqliteStore(folder / "offline.sqlite")
        _, comparison = write_offline(road.settings, folder / "offline", expected)
        expected.close()
        assert comparison[1:] == ([], [], []), "changes that the log of frames does not give"
        outcomes = [summary[name] for name in ("folded", "duplicates", "late", "dead")]
        assert summary["posts_in"] == sum(outcomes), summary
        assert summary["posts_in"] == self.posts, "posts_in is not what was given to the stream"
        same_files(folder / "recorded", folder / "offline")
        assert (folder / "offline" / "alerts.jsonl").read_bytes().count(b"\n") >= 3
        wanted = in_sqlite(folder / "offline.sqlite")
        found = documents or in_sqlite(road.settings.state_dir / "tindon.sqlite")
        for kind in KINDS:
            assert wanted[kind], kind
            assert set(found[kind]) == set(wanted[kind]), kind
            for key, document in wanted[kind].items():
                assert found[kind][key] == document, (kind, key)
        return resent


def metrics(worker: Any) -> str:
    address = f"http://127.0.0.1:{worker.metrics_port}/metrics"
    with urllib.request.urlopen(address, timeout=2) as answer:
        return str(answer.read().decode())


def value(worker: Any, name: str, **labels: str) -> float:
    """Sum of a metric's series with these labels; 0 where there is none."""
    wanted = [f'{label}="{given}"' for label, given in labels.items()]
    series = [line for line in metrics(worker).splitlines() if line.startswith(f"tindon_{name}{{")]
    return sum(float(s.split()[-1]) for s in series if all(one in s for one in wanted))


def in_sqlite(path: Path) -> dict[str, dict[str, Any]]:
    """All documents of a store by kind and Elasticsearch's id: version, and the bytes both stores share."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    found: dict[str, dict[str, Any]] = {}
    for table, of in KINDS.items():
        decode = msgspec.msgpack.Decoder(of).decode
        rows = connection.execute(f"SELECT version, document FROM {table}")
        kept = [(version, decode(document)) for version, document in rows]
        found[table] = {place("", one)[1]: (version, _shape(shape(one))) for version, one in kept}
    connection.close()
    return found


def in_elasticsearch(url: str, prefix: str) -> dict[str, dict[str, Any]]:
    """The same out of Elasticsearch, whose `_source` is that shape."""
    found: dict[str, dict[str, Any]] = {}
    urllib.request.urlopen(
        urllib.request.Request(f"{url}/{prefix}*/_refresh", method="POST")
    ).close()
    for kind in KINDS:
        question = f"{url}/{prefix}{kind}/_search?size=10000&version=true"
        with urllib.request.urlopen(question) as answer:
            hits = json.load(answer)["hits"]
        assert hits["total"]["value"] == len(hits["hits"]) < 10_000
        found[kind] = {
            hit["_id"]: (hit["_version"], _shape(hit["_source"])) for hit in hits["hits"]
        }
    return found


def rough_lines(seed: int = 1) -> Iterator[bytes]:
    """Lines of an invented day that comes again and again, out of order and with repeats, without end.

    One post in 25 comes a second time, 50 to 200 places later; neighbours change places within 20; one
    line is cut off.
    """
    chance = random.Random(seed)
    day = list(generate())
    waiting: list[tuple[float, bytes]] = [(7.0, b'{"id": "cut", "text": "the line ends ea\n')]
    for number in itertools.count():
        post = day[number % len(day)]
        if days := number // len(day):
            moved = datetime.fromisoformat(post["created_at"]) + timedelta(days=days)
            names = {n: f"{post[n]}-{days}" for n in ("id", "reply_to", "repost_of") if post.get(n)}
            post = {**post, **names, "created_at": moved.isoformat(timespec="milliseconds")}
        line = (json.dumps(post, ensure_ascii=False) + "\n").encode()
        heapq.heappush(waiting, (number + 20 * chance.random(), line))
        if chance.random() < 0.04:
            heapq.heappush(waiting, (number + chance.uniform(50, 200), line))
        while waiting[0][0] <= number:
            yield heapq.heappop(waiting)[1]


@contextmanager
def disturbed(
    bootstrap: str, name: str, folder: Path, *, rate: int, seed: int = 0, **changes: str
) -> Iterator[Disturbed]:
    """A road of its own, whose stream begins with the block; everything ends with it."""
    road = KafkaRoad(bootstrap, name, folder, **changes)
    road.create_topics()
    stream = Disturbed(road, rate, seed)
    try:
        yield stream
    finally:
        stream.close()
        road.end()


@contextmanager
def stopped(server: Kafka) -> Iterator[None]:
    """The server's processes stand still inside the block, connections open: a network that stalls."""
    record = read_record(server.state_dir / "run" / f"{server.name}.pid")
    assert record is not None
    pids = members(record)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
