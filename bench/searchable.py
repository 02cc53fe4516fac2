"""How soon search finds a post that joins an indexed rumor, with Kafka, a worker and Elasticsearch.

    python -m bench.searchable [FILE] [--bootstrap HOST:PORT] [--elasticsearch URL] [--rate 500]
                               [--seconds 60] [--out FILE.json]

Sends posts at a steady rate, each stamped with the time at which it is produced, and asks Elasticsearch
every 50 ms for one in 25 of them until it shows. Counted are those that joined a rumor of which two
posts stood in the store before. 20 s at a fifth of the rate go ahead, so that no start is measured (groups
that join, indices that are made, cold code); the first 5 s at the full rate are left out too. Without
FILE the texts are those of the invented day. Topics and indices are removed at the end.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import suppress
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
from kafka import KafkaProducer

import config
from deploy.local.ports import free_ports
from stores import StoreUnavailable
from stores.elasticsearch import ElasticsearchStore
from streams.broker import Broker
from streams.sources.scenario import generate
from streams.topics import Topics, ensure

REPOSITORY = Path(__file__).resolve().parents[1]
EVERY = 25  # posts: one of them is looked for
ASK_S = 0.05
WARM_S = 20.0  # at a fifth of the rate, before the measured stretch
LEFT_OUT_S = 5.0  # of the measured stretch
TAIL_S = 20.0  # after the last post
TARGET_S = 2.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.searchable", description=__doc__)
    parser.add_argument("file", nargs="?", default="")
    parser.add_argument("--bootstrap", default="127.0.0.1:9092")
    parser.add_argument("--elasticsearch", default="http://127.0.0.1:9200")
    parser.add_argument("--rate", type=float, default=500.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--out", default="")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tindon-bench-") as folder:
        result = _measure(arguments, Path(folder))
    print(
        f"{result['posts']:,} posts at {result['rate']:.0f}/s (wanted {arguments.rate:.0f}),"
        f" {result['counted']} looked for that joined an indexed rumor:"
        f" p50 {result['p50_s']:.2f} s, p95 {result['p95_s']:.2f} s, longest {result['max_s']:.2f} s;"
        f" target p95 {TARGET_S:.0f} s; the worker's own p95 is below {result['own_p95_s']} s;"
        f" load {result['load']:.1f}, {os.cpu_count()} cores"
    )
    print("longest of each 5 s:", ", ".join(f"{at} s {s:.1f}" for at, s in result["course"]))
    if arguments.out:
        Path(arguments.out).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0 if result["p95_s"] < TARGET_S else 1


def _measure(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    name = f"bench-{uuid.uuid4().hex[:8]}"
    variables = {
        "TINDON_STATE_DIR": str(folder),
        "TINDON_KAFKA__BOOTSTRAP": arguments.bootstrap,
        "TINDON_KAFKA__PREFIX": f"{name}.",
        "TINDON_WORKER__GROUP": name,
        "TINDON_STORE__PREFIX": f"{name}-",
        "TINDON_STORE__KIND": "elasticsearch",
        "TINDON_ELASTICSEARCH__URL": arguments.elasticsearch,
    }
    settings = config.load(env=variables).settings
    broker, topics = Broker(settings), Topics(settings)
    ensure(broker, topics, topics.all())
    store = ElasticsearchStore(arguments.elasticsearch, prefix=settings.store.prefix)
    store.ensure_templates()
    [port] = free_ports(1)
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TINDON_")}
    paths = {"PYTHONPATH": str(REPOSITORY), "OPENBLAS_NUM_THREADS": "1"}
    with (folder / "worker.log").open("wb") as log:
        worker = subprocess.Popen(
            [sys.executable, "-m", "cli.main", "worker", "--metrics-port", str(port)],
            env=kept | variables | paths, cwd=REPOSITORY, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        _wait_for(port, worker, folder)
        looked = _Looked(store)
        asking = threading.Thread(target=looked.ask, daemon=True)
        asking.start()
        count, rate = _produce(arguments, topics.posts.name, looked)
        time.sleep(TAIL_S)
        looked.done = True
        asking.join()
        store.refresh()
        joined = looked.joined(after=LEFT_OUT_S)
        own = _own_p95(port)
    finally:
        worker.terminate()
        worker.wait(30)
        with broker.admin() as admin:
            admin.delete_topics([topic.name for topic in topics.all()])
        _, found = store.connection.request("GET", f"/{name}-*/_settings/index.uuid")
        for index in found:
            store.connection.request("DELETE", f"/{index}")
        for path in ("_index_template", "_component_template"):
            store.connection.request("DELETE", f"/{path}/{name}-*", allow=(404,))
        store.close()
    if not joined:
        raise SystemExit("no post that was looked for joined a rumor: send more posts")
    seconds = [wait for _, wait in joined]
    p50, p95 = np.percentile(seconds, [50, 95])
    return {
        "posts": count,
        "rate": rate,
        "looked_for": len(looked.sent),
        "counted": len(seconds),
        "p50_s": round(float(p50), 3),
        "p95_s": round(float(p95), 3),
        "max_s": round(max(seconds), 3),
        "own_p95_s": own,
        "course": _course(joined),
        "load": os.getloadavg()[0],
    }


def _course(joined: list[tuple[float, float]]) -> list[tuple[int, float]]:
    """The longest wait in each 5 s of sending: (from, s)."""
    longest: dict[int, float] = {}
    for at, wait in joined:
        begin = int(at // 5 * 5)
        longest[begin] = max(longest.get(begin, 0.0), round(wait, 2))
    return sorted(longest.items())


class _Looked:
    """Posts that are looked for: when each was sent, and when search first showed it."""

    def __init__(self, store: ElasticsearchStore) -> None:
        self._store = store
        self.sent: dict[str, float] = {}
        self.seen: dict[str, float] = {}
        self.first = 0.0
        self.done = False

    def ask(self) -> None:
        while not self.done:
            waiting = [name for name in list(self.sent) if name not in self.seen][-1_000:]
            with suppress(StoreUnavailable):  # an index that is being made has no answer yet
                for hit in self._hits({"terms": {"post.id": waiting}}, 1_000) if waiting else []:
                    self.seen[hit["_source"]["post"]["id"]] = time.time()
            time.sleep(ASK_S)

    def joined(self, after: float) -> list[tuple[float, float]]:
        """When each post that joined an indexed rumor was sent, and seconds until it showed.

        Without those of the first `after` s.
        """
        seconds = []
        for name, at in self.seen.items():
            sent = self.sent[name]
            if sent < self.first + after:
                continue
            [hit] = self._hits({"term": {"post.id": name}}, 1)
            before = [
                {"term": {"rumor.id": hit["_source"]["rumor"]["id"]}},
                {"range": {"@timestamp": {"lt": hit["_source"]["@timestamp"]}}},
            ]
            if len(self._hits({"bool": {"filter": before}}, 2)) == 2:
                seconds.append((sent - self.first, at - sent))
        return seconds

    def _hits(self, query: dict[str, Any], size: int) -> list[dict[str, Any]]:
        _, answer = self._store.connection.request(
            "POST",
            f"/{self._store.prefix}posts/_search",
            body={"query": query, "size": size, "_source": ["post.id", "rumor.id", "@timestamp"]},
            ignore_unavailable="true",
        )
        hits: list[dict[str, Any]] = answer["hits"]["hits"]
        return hits


def _produce(arguments: argparse.Namespace, topic: str, looked: _Looked) -> tuple[int, float]:
    """Posts sent at the full rate, and that rate as it was."""
    producer = KafkaProducer(bootstrap_servers=arguments.bootstrap, linger_ms=5)
    texts = enumerate(_texts(arguments.file))
    for rate, seconds in ((arguments.rate / 5, WARM_S), (arguments.rate, arguments.seconds)):
        started, count = time.monotonic(), 0
        looked.first = time.time()
        for number, text in texts:
            ahead = count / rate - (time.monotonic() - started)
            if ahead > 0:
                time.sleep(ahead)
            if time.monotonic() - started > seconds:
                break
            now = time.time()
            post = {
                "id": f"b{number}", "source": "bench", "text": text, "author": f"a{number % 5_000}",
                "created_at": int(now * 1000),
            }  # fmt: skip
            producer.send(topic, json.dumps(post, ensure_ascii=False).encode())
            if number % EVERY == 0:
                looked.sent[f"b{number}"] = now
            count += 1
        reached = count / (time.monotonic() - started)
    producer.flush()
    producer.close()
    return count, reached


def _texts(file: str) -> Iterator[str]:
    """Texts in their order, over and over."""
    if not file:
        yield from cycle([str(post["text"]) for post in generate()])
    with gzip.open(file) if file.endswith(".gz") else open(file, "rb") as lines_of:
        lines = lines_of.read().splitlines()
    yield from cycle([json.loads(line)["text"] for line in lines])


def _wait_for(port: int, worker: subprocess.Popen[bytes], folder: Path) -> None:
    while True:
        if worker.poll() is not None:
            raise SystemExit((folder / "worker.log").read_text()[-2000:])
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics").close()
            if "working on" in (folder / "worker.log").read_text():
                return
        except OSError:
            pass
        time.sleep(0.2)


def _own_p95(port: int) -> str:
    """Bound of the bucket that holds the 95th percentile of the worker's own measurements."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        text = answer.read().decode()
    name = "tindon_post_to_searchable_seconds_bucket"
    counts = [line for line in text.splitlines() if line.startswith(name)]
    bounds = [(line.split('"')[1], float(line.split()[-1])) for line in counts]
    return next(bound for bound, count in bounds if count >= 0.95 * bounds[-1][1])


if __name__ == "__main__":
    sys.exit(main())
