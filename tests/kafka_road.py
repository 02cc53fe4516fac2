"""A road on a real broker for tests: its settings, its worker processes, and what the broker says of it."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kafka.admin import KafkaAdminClient, OffsetSpec
from kafka.errors import (
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    NotCoordinatorError,
)
from kafka.structs import TopicPartition

import config
from config import Settings
from deploy.local.ports import free_ports
from streams.broker import Broker
from streams.sources.scenario import generate
from streams.topics import Topic, Topics, ensure

# It describes Faust's groups well, and complains of each member that it cannot read the assignor's data.
logging.getLogger("kafka.admin").setLevel(logging.ERROR)

REPOSITORY = Path(__file__).resolve().parents[1]
STAGES = ("embed", "cluster", "alert", "index")
WAIT_S = 240.0  # a busy machine folds 200 posts/s
FILES = ("assignments.jsonl", "alerts.jsonl", "rumors.jsonl", "dead.jsonl")


class KafkaRoad:
    """Topics, groups and folders of one test; worker processes that end with it."""

    def __init__(self, bootstrap: str, name: str, folder: Path, **changes: str) -> None:
        self.folder = folder
        self.variables = {
            "TINDON_STATE_DIR": str(folder / "state"),
            "TINDON_KAFKA__BOOTSTRAP": bootstrap,
            "TINDON_KAFKA__PREFIX": f"{name}.",
            "TINDON_KAFKA__POSTS_PARTITIONS": "1",
            "TINDON_WORKER__GROUP": name,
            "TINDON_WORKER__SESSION_S": "6",
            "TINDON_WORKER__CHECKPOINT_S": "2",
            "TINDON_WORKER__RECORD": "true",
            "TINDON_STORE__PREFIX": f"{name}-",
            "TINDON_TIME__TICKS": "event",
            "TINDON_INTAKE__PSEUDONYM_KEY": "0123456789abcdef0123456789abcdef",
        } | changes
        self.settings: Settings = config.load(env=self.variables).settings
        self.topics = Topics(self.settings)
        self.workers: list[subprocess.Popen[bytes]] = []
        self._reads = {
            "embed": self.topics.posts,
            "cluster": self.topics.embedded,
            "alert": self.topics.changes,
            "index": self.topics.alerts,
        }

    def create_topics(self) -> None:
        ensure(Broker(self.settings), self.topics, self.topics.all())

    # --- processes

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "cli.main", *arguments]

    @property
    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("TINDON_")}
        return kept | self.variables | {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(REPOSITORY)}

    def start_worker(self, *options: str) -> subprocess.Popen[bytes]:
        """A `tindon worker` process; its log is in `worker-N.log`."""
        [port] = free_ports(1)
        with (self.folder / f"worker-{len(self.workers)}.log").open("wb") as log:
            worker = subprocess.Popen(
                self.command("worker", "--metrics-port", str(port), *options),
                cwd=self.folder,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        worker.metrics_port = port  # type: ignore[attr-defined]
        self.workers.append(worker)
        return worker

    def log_of(self, worker: subprocess.Popen[bytes]) -> str:
        return (self.folder / f"worker-{self.workers.index(worker)}.log").read_text()

    def ingest(self, *arguments: str) -> str:
        done = subprocess.run(
            self.command("ingest", *arguments), cwd=self.folder, env=self.environment,
            capture_output=True, text=True, check=False, timeout=WAIT_S,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def end(self) -> None:
        """No process of the test stays, no topic of it either."""
        for worker in self.workers:
            if worker.poll() is None:
                worker.kill()
            worker.wait(10)
        with Broker(self.settings).admin() as admin:
            found = set(admin.list_topics())
            names = [topic.name for topic in self.topics.all() if topic.name in found]
            if names:
                admin.delete_topics(names)

    # --- what the broker says

    def committed(self, stage: str) -> dict[int, int]:
        """Offset that the stage's group has committed, by partition."""
        group = self.group(stage)
        with Broker(self.settings).admin() as admin:
            try:
                offsets = _answered(lambda: admin.list_group_offsets([group]))[group]
            except CoordinatorNotAvailableError:  # a broker's first group: it makes its topic now
                return {}
        topic = self._reads[stage].name
        return {
            tp.partition: at.offset
            for tp, at in offsets.items()
            if tp.topic == topic and at.offset >= 0
        }

    def members(self, stage: str) -> int:
        group = self.group(stage)
        with Broker(self.settings).admin() as admin:
            try:
                described = _answered(lambda: admin.describe_groups([group]))[group]
            except CoordinatorNotAvailableError:
                return 0
        return len(described["members"]) if described["group_state"] == "Stable" else 0

    def group(self, stage: str) -> str:
        return f"{self.settings.worker.group}.{stage}"

    def ends(self, topic: Topic) -> dict[int, int]:
        with Broker(self.settings).admin() as admin:
            return _ends(admin, topic)

    def caught_up(self) -> bool:
        """Whether every stage has committed all that stands in its topic."""
        with Broker(self.settings).admin() as admin:
            ends = {stage: _ends(admin, topic) for stage, topic in self._reads.items()}
        for stage, end in ends.items():
            done = self.committed(stage)
            if any(done.get(partition, 0) < at for partition, at in end.items()):
                return False
        return True

    def finish(self) -> None:
        """Wait until all is worked on, and stays so: the last documents come when the log is quiet."""
        quiet = 0
        for _ in self.waiting("all posts to be worked on"):
            quiet = quiet + 1 if self.caught_up() else 0
            if quiet == 3:
                return

    def waiting(self, for_what: str, every_s: float = 0.5) -> Iterator[None]:
        """Until the caller leaves the loop; fails when a worker ends meanwhile, or time is up."""
        end = time.monotonic() + WAIT_S
        running = [worker for worker in self.workers if worker.poll() is None]
        while time.monotonic() < end:
            yield
            for worker in running:
                ended = worker.poll() is not None and worker.returncode != -signal.SIGKILL
                assert not ended, self.log_of(worker)
            time.sleep(every_s)
        raise AssertionError(f"waited {WAIT_S:g} s for {for_what}")

    def until(self, holds: Callable[[], Any], what: str, every_s: float = 0.2) -> Any:
        for _ in self.waiting(what, every_s):
            if answer := holds():
                return answer


def _answered(ask: Callable[[], Any]) -> Any:
    """What a broker says of a group, once it has read its groups after a start."""
    end = time.monotonic() + WAIT_S
    while True:
        try:
            return ask()
        except (NotCoordinatorError, CoordinatorLoadInProgressError):
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def _ends(admin: KafkaAdminClient, topic: Topic) -> dict[int, int]:
    asked = {TopicPartition(topic.name, p): OffsetSpec.LATEST for p in range(topic.partitions)}
    return {tp.partition: at.offset for tp, at in admin.list_partition_offsets(asked).items()}


def scenario_file(path: Path, posts: int) -> Path:
    """The first posts of the invented day, with one bad line and two that come again in another form."""
    lines = [json.dumps(post, ensure_ascii=False) for post in generate()[:posts]]
    again = json.loads(lines[posts // 2])
    lines.append(json.dumps(again | {"text": "another text under an id that is there"}))
    lines.append(json.dumps(again | {"id": "copy-1", "author": "somebody else"}))
    lines.insert(7, '{"id": "cut", "text": "the line ends ea')
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def same_files(one: Path, other: Path, names: Iterable[str] = FILES) -> None:
    """Byte-equal, with the first line that differs."""
    for name in names:
        a = (one / name).read_bytes().splitlines()
        b = (other / name).read_bytes().splitlines()
        assert len(a) == len(b), name
        for number, (x, y) in enumerate(zip(a, b, strict=True), 1):
            assert x == y, f"{name}:{number}"


@contextmanager
def road(bootstrap: str, name: str, folder: Path, **changes: str) -> Iterator[KafkaRoad]:
    made = KafkaRoad(bootstrap, name, folder, **changes)
    made.create_topics()
    try:
        yield made
    finally:
        made.end()
