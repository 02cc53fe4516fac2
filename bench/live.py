"""A live stream through the road for minutes: Kafka, the workers, the store on one machine; does it keep up?

    python -m bench.live FILE... --rate N [--seconds S] [--bootstrap HOST:PORT] [--elasticsearch URL]
                         [--workers LIST ...] [--partitions N] [--warm S] [--no-copies] [--profile FOLDER]
                         [--out FILE.json]

Sends the files' posts at N posts/s as a live source would: each with the time at which it is sent, the files
over and over, from the second round on with other ids and one more word that no post had (seeded), so that
a round is no copy of the one before. Posts of the same words, links and names aside, get the same word: what
the file holds of copies, each round holds. With --no-copies each post gets a word of its own, and a round
costs the folds several times as much. The workers keep wall time. Every 5 s it asks the broker how far
behind each stage is, and the workers how many posts their folds have counted. Told: posts/s over the time
after --warm (default 30 s), the backlog then and at the end, and the processor time of each process: the
workers, this bench's sender, broker and store if they run on this machine. A road keeps up when the backlog
does not grow. Servers that were just started spend tens of seconds on compiling themselves: run it twice, or
warm them longer. Each `--workers` is one process with the stages named. Topics and indices are removed at
the end.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import itertools
import json
import multiprocessing
import os
import re
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from bench.road import (
    READS,
    Worker,
    delete_indices,
    end_of,
    environment_of,
    metrics_of,
    start_worker,
)
from config import Settings
from deploy.local.ports import holder
from streams.broker import Broker
from streams.topics import Topic, Topics, ensure

SAMPLE_S = 5.0
SLICE_S = 0.05
"""Between two portions of the stream."""

_LINKS = re.compile(r"\S*(?:://|@)\S*")
_WORDS = re.compile(r"\w+")
_LETTERS = str.maketrans("0123456789", "ghijklmnop")
_encode = msgspec.json.Encoder().encode


def main() -> int:
    given = _arguments()
    with tempfile.TemporaryDirectory(prefix="tindon-bench-") as folder:
        result = _measure(given, Path(folder))
    print(_table(result))
    if given.out:
        Path(given.out).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.live", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--rate", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--warm", type=float, default=30.0)
    parser.add_argument("--bootstrap", default="127.0.0.1:9092")
    parser.add_argument("--elasticsearch", default="")
    parser.add_argument("--workers", action="append", default=[])
    parser.add_argument("--partitions", type=int, default=1)
    parser.add_argument("--no-copies", action="store_true")
    parser.add_argument("--profile", default="")
    parser.add_argument("--out", default="")
    return parser.parse_args()


def stream_of(paths: list[Path], seed: int = 1, *, copies: bool = True) -> Iterator[dict[str, Any]]:
    """The files' posts in order of time, over and over; their own times are left out."""
    from streams.sources.files import read_files
    from streams.validation import IntakeRules

    rules = IntakeRules(max_record_bytes=1_000_000, future_ms=None)
    reading = read_files([str(p) for p in paths], as_is=False, assume_rate=None, rules=rules)
    kept = ("id", "text", "lang", "author", "platform")
    posts = [
        {name: post[name] for name in kept if post.get(name) is not None}
        for post in (json.loads(record.raw) for record in reading)
    ]
    known: dict[str, int] = {}
    wordings = [known.setdefault(_wording(post["text"]), len(known)) for post in posts]
    yield from posts
    for turn in itertools.count(1):
        for number, (post, wording) in enumerate(zip(posts, wordings, strict=True)):
            word = _word(f"{seed}/{turn}/{wording if copies else number}")
            yield post | {"id": f"{post['id']}-{turn}", "text": f"{post['text']} {word}"}


def _wording(text: str) -> str:
    return " ".join(_WORDS.findall(_LINKS.sub(" ", text.casefold())))


def _word(name: str) -> str:
    digest = hashlib.blake2b(name.encode(), digest_size=4).hexdigest()
    return digest.translate(_LETTERS)


def feed(given: argparse.Namespace, settings: Settings, ready: Any, go: Any) -> None:
    """Send the stream; a process of its own."""
    stream = stream_of(given.files, copies=not given.no_copies)
    asyncio.run(_feed(stream, settings, given.rate, given.seconds, ready, go))


async def _feed(
    stream: Iterator[dict[str, Any]],
    settings: Settings,
    rate: int,
    seconds: float,
    ready: Any,
    go: Any,
) -> None:
    from agents.kafka.producer import Producer, delivered

    topic = Topics(settings).posts
    first = next(stream)  # the files are read
    producer = Producer(Broker(settings))
    await producer.start()
    ready.set()
    go.wait()
    started, sent = time.monotonic(), 0
    posts = itertools.chain([first], stream)
    while (passed := time.monotonic() - started) < seconds:
        now = int(time.time() * 1000)
        header = [("received_at", str(now).encode()), ("source", b"bench")]
        due = [
            (None, _encode(post | {"created_at": now}))
            for post in itertools.islice(posts, max(int(passed * rate) - sent, 0))
        ]
        sent += len(due)
        for partition in range(topic.partitions):
            part = due[partition :: topic.partitions]
            await delivered(
                await producer.send_all(topic, part, partition=partition, headers=header)
            )
        await asyncio.sleep(SLICE_S)
    await producer.stop()


def _measure(given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    name = f"bench-{uuid.uuid4().hex[:8]}"
    variables = {"TINDON_TIME__TICKS": "wall"}
    environment, settings = environment_of(given, name, folder, variables)
    broker, topics = Broker(settings), Topics(settings)
    ensure(broker, topics, topics.all())
    reads = {stage: getattr(topics, topic) for stage, topic in READS.items()}
    workers: list[Worker] = []
    stages = given.workers or ["embed,cluster,alert,index"]
    context = multiprocessing.get_context("spawn")
    ready, go = context.Event(), context.Event()
    feeder = context.Process(target=feed, args=(given, settings, ready, go))
    feeder.start()
    samples: list[dict[str, Any]] = []
    try:
        workers += [start_worker(environment, given.profile, one, folder) for one in stages]
        measured = {
            **{one: process.pid for one, (process, _) in zip(stages, workers, strict=True)},
            "sender": feeder.pid,
            "broker": _server(given.bootstrap),
            "store": _server(given.elasticsearch),
        }
        pids = {what: pid for what, pid in measured.items() if pid is not None}
        while not ready.wait(1.0):
            if not feeder.is_alive():
                raise SystemExit("bench.live: the stream could not be sent, see above")
        time.sleep(10)  # the workers join
        go.set()
        started = time.monotonic()
        while feeder.is_alive():
            time.sleep(SAMPLE_S)
            at = time.monotonic() - started
            samples.append(_sample(broker, reads, settings, workers, pids, at))
            print(_line(samples[-1]), file=sys.stderr, flush=True)
            for process, port in workers:
                if process.poll() is not None:
                    raise SystemExit((folder / f"worker-{port}.log").read_text()[-2000:])
        stages_s = metrics_of([port for _, port in workers])[0]
    finally:
        if feeder.is_alive():
            feeder.kill()
        for process, _ in workers:
            process.terminate()
        for process, _ in workers:
            process.wait(30)
        with broker.admin() as admin:
            admin.delete_topics([topic.name for topic in topics.all()])
        if given.elasticsearch:
            delete_indices(given.elasticsearch, name)
    steady = [one for one in samples if one["at"] >= given.warm]
    first, last = steady[0], steady[-1]
    took = last["at"] - first["at"]
    return {
        "rate": given.rate,
        "seconds": given.seconds,
        "posts_per_s": round((last["posts"] - first["posts"]) / took, 1),
        "backlog_first": first["lag"],
        "backlog_last": last["lag"],
        "behind_first": first["sent"] - first["posts"],
        "behind_last": last["sent"] - last["posts"],
        "cpu_s": {
            what: round(max(one["cpu"][what] for one in steady) - first["cpu"][what], 2)
            for what in pids
        },
        "steady_s": round(took, 1),
        "stage_s": stages_s,
        "samples": samples,
        "store": "elasticsearch" if given.elasticsearch else "sqlite",
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
    }


def _sample(
    broker: Broker,
    reads: dict[str, Topic],
    settings: Settings,
    workers: list[Worker],
    pids: dict[str, int],
    at: float,
) -> dict[str, Any]:
    lag = {}
    with broker.admin() as admin:
        for stage, topic in reads.items():
            group = f"{settings.worker.group}.{stage}"
            found = admin.list_group_offsets([group])[group]
            done = sum(
                o.offset for tp, o in found.items() if tp.topic == topic.name and o.offset > 0
            )
            lag[stage] = end_of(admin, topic) - done
        sent = end_of(admin, reads["embed"])
    counts = metrics_of([port for _, port in workers])[2]
    cpu = {what: _cpu(pid) for what, pid in pids.items()}
    return {"at": round(at, 1), "sent": sent, "posts": counts, "lag": lag, "cpu": cpu}


def _server(address: str) -> int | None:
    """Process that listens there, if it is on this machine and we may see it."""
    at = urlsplit(address if "://" in address else f"//{address}")
    found = re.match(r"pid (\d+)", holder(at.port)) if at.port else None
    return int(found[1]) if found and at.hostname in ("127.0.0.1", "localhost") else None


def _cpu(pid: int) -> float:
    """Processor seconds of a process so far; 0 when it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _line(sample: dict[str, Any]) -> str:
    lag = " ".join(f"{stage} {count}" for stage, count in sample["lag"].items())
    return f"{sample['at']:6.1f} s  sent {sample['sent']}  counted {sample['posts']}  behind: {lag}"


def _table(result: dict[str, Any]) -> str:
    counted = max(result["posts_per_s"] * result["steady_s"], 1.0)
    lines = [
        f"{result['rate']:,} posts/s for {result['seconds']:.0f} s; {result['posts_per_s']:,.0f} posts/s "
        f"counted over the last {result['steady_s']:.0f} s; {result['store']}, {result['cores']} cores, "
        f"load {result['load']:.1f}",
        f"posts sent and not counted yet: {result['behind_first']:,}, at the end {result['behind_last']:,}",
        "",
        "| process | processor ms a post | cores |",
        "|---|---:|---:|",
        *(
            f"| {what} | {1000 * spent / counted:.3f} | {spent / result['steady_s']:.2f} |"
            for what, spent in result["cpu_s"].items()
        ),
        "",
        "| stage | records behind, after the start | at the end | seconds of work |",
        "|---|---:|---:|---:|",
    ]
    for stage, behind in result["backlog_last"].items():
        first, spent = result["backlog_first"][stage], result["stage_s"].get(stage, 0.0)
        lines.append(f"| {stage} | {first:,} | {behind:,} | {spent:.1f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
