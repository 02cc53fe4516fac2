"""Throughput of the road on servers: Kafka, the workers, the store; and where the time goes.

    python -m bench.road FILE... [--bootstrap HOST:PORT] [--elasticsearch URL] [--workers LIST ...]
                         [--partitions N] [--shadow FILE] [--profile FOLDER] [--out FILE.json]

Sends the files' posts into fresh topics, starts the workers, and waits until every stage has worked on all
that stands in its topic: posts per second from the first commit to then, and for each stage the seconds
that it spent, from the workers' own metrics. Each `--workers` is one process with the stages
named (default: one with all four). Without --elasticsearch the store is SQLite. --shadow runs `tindon
shadow --candidate FILE` beside the workers: compare a run with it and one without, side by side. --profile
runs each worker under cProfile, all threads of it, and prints where its time went; figures are then
too low.
Topics and indices are removed at the end.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import pstats
import re
import resource
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import uuid
from collections import defaultdict
from pathlib import Path
from typing import Any

from kafka.admin import OffsetSpec
from kafka.structs import TopicPartition

import config
from config import Settings
from deploy.local.ports import free_ports
from streams.broker import Broker
from streams.topics import Topic, Topics, ensure

REPOSITORY = Path(__file__).resolve().parents[1]
WAIT_S = 900.0
SUM = re.compile(r'^tindon_(stage|checkpoint)_seconds_sum\{stage="(\w+)"\} (\S+)$', re.M)
POSTS = re.compile(r'^tindon_posts_total\{outcome="\w+"\} (\S+)$', re.M)
READS = {"embed": "posts", "cluster": "embedded", "alert": "changes", "index": "alerts"}
TOTAL = re.compile(r'^tindon_records_total\{stage="(\w+)"\} (\S+)$', re.M)


def main() -> int:
    arguments = _arguments()
    if arguments.under_profile:
        return _profiled_worker(arguments)
    with tempfile.TemporaryDirectory(prefix="tindon-bench-") as folder:
        result = _measure(arguments, Path(folder))
    print(_table(result))
    if arguments.profile:
        _print_profile(Path(arguments.profile))
    if arguments.out:
        Path(arguments.out).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.road", description=__doc__)
    parser.add_argument("files", nargs="*")
    parser.add_argument("--bootstrap", default="127.0.0.1:9092")
    parser.add_argument("--elasticsearch", default="")
    parser.add_argument("--workers", action="append", default=[])
    parser.add_argument("--partitions", type=int, default=1)
    parser.add_argument("--ticks", choices=("event", "wall"), default="event")
    parser.add_argument("--profile", default="")
    parser.add_argument("--shadow", default="")
    parser.add_argument("--out", default="")
    parser.add_argument("--under-profile", default="", help=argparse.SUPPRESS)
    return parser.parse_args()


def _measure(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    name = f"bench-{uuid.uuid4().hex[:8]}"
    given = {"TINDON_TIME__TICKS": arguments.ticks}
    environment, settings = environment_of(arguments, name, folder, given)
    broker, topics = Broker(settings), Topics(settings)
    ensure(broker, topics, topics.all())
    reads = {stage: getattr(topics, topic) for stage, topic in READS.items()}
    workers: list[Worker] = []
    shadow: subprocess.Popen[bytes] | None = None
    try:
        said = _tindon(environment, "ingest", *arguments.files)
        posts = int(said.split(" records")[0].replace(",", ""))
        for stages in arguments.workers or ["embed,cluster,alert,index"]:
            workers.append(start_worker(environment, arguments.profile, stages, folder))
        if arguments.shadow:
            shadow = _start_shadow(environment, arguments.shadow, folder)
        seconds = _wait(broker, reads, workers, folder)
        if shadow is not None and shadow.poll() is not None:
            raise SystemExit((folder / "shadow.log").read_text()[-2000:])
        spent, records, _ = metrics_of([port for _, port in workers])
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        for process, _ in workers:
            process.terminate()
        for process, _ in workers:
            process.wait(30)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    finally:
        for process in [*(process for process, _ in workers), *([shadow] if shadow else [])]:
            if process.poll() is None:
                process.kill()
                process.wait(10)
        with broker.admin() as admin:
            admin.delete_topics([topic.name for topic in topics.all()])
        if arguments.elasticsearch:
            delete_indices(arguments.elasticsearch, name)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "posts": posts,
        "ingest": said.strip(),
        "seconds": round(seconds, 2),
        "posts_per_s": round(posts / seconds, 1),
        "cpu_s": round(cpu, 2),
        "posts_per_cpu_s": round(posts / cpu, 1),
        "workers": arguments.workers or ["embed,cluster,alert,index"],
        "partitions": arguments.partitions,
        "store": "elasticsearch" if arguments.elasticsearch else "sqlite",
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "stage_s": spent,
        "records": records,
        "encoder": settings.embed.encoder,
    }


def _tindon(environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "-m", "cli.main", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout


def environment_of(
    arguments: argparse.Namespace, name: str, folder: Path, variables: dict[str, str]
) -> tuple[dict[str, str], Settings]:
    """Environment and settings of a bench's own topics, groups and indices."""
    variables = variables | {
        "TINDON_STATE_DIR": str(folder),
        "TINDON_KAFKA__BOOTSTRAP": arguments.bootstrap,
        "TINDON_KAFKA__PREFIX": f"{name}.",
        "TINDON_KAFKA__POSTS_PARTITIONS": str(arguments.partitions),
        "TINDON_WORKER__GROUP": name,
        "TINDON_STORE__PREFIX": f"{name}-",
    }
    if arguments.elasticsearch:
        variables["TINDON_STORE__KIND"] = "elasticsearch"
        variables["TINDON_ELASTICSEARCH__URL"] = arguments.elasticsearch
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TINDON_")}
    paths = {"PYTHONPATH": str(REPOSITORY), "OPENBLAS_NUM_THREADS": "1"}
    return kept | variables | paths, config.load(env=variables).settings


def start_worker(environment: dict[str, str], profile: str, stages: str, folder: Path) -> Worker:
    [port] = free_ports(1)
    options = ["--agents", stages, "--metrics-port", str(port)]
    command = [sys.executable, "-m", "cli.main", "worker", *options]
    if profile:
        place = Path(profile).resolve()
        place.mkdir(parents=True, exist_ok=True)
        file = place / f"{stages.replace(',', '-')}-{port}.prof"
        command = [sys.executable, "-m", "bench.road", "--under-profile", str(file)]
        environment = environment | {"BENCH_WORKER": json.dumps(["worker", *options])}
    with (folder / f"worker-{port}.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=REPOSITORY)
    return process, port


def _start_shadow(
    environment: dict[str, str], candidate: str, folder: Path
) -> subprocess.Popen[bytes]:
    """A live shadow beside the workers, over the same log from its beginning."""
    command = [sys.executable, "-m", "cli.main", "shadow", "--candidate", candidate]
    with (folder / "shadow.log").open("wb") as log:
        return subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=REPOSITORY)


def _profiled_worker(arguments: argparse.Namespace) -> int:
    """A worker with a profile of each thread that does its work."""
    from agents.kafka.lane import Lane
    from cli.main import main as tindon

    profiles = [cProfile.Profile()]
    work = Lane._work

    def profiled(self: Lane) -> None:
        profile = cProfile.Profile()
        profiles.append(profile)
        profile.runcall(work, self)

    Lane._work = profiled  # type: ignore[method-assign]
    assert threading.current_thread() is threading.main_thread()
    code = profiles[0].runcall(tindon, json.loads(os.environ["BENCH_WORKER"]))
    for number, profile in enumerate(profiles):
        profile.create_stats()
        profile.dump_stats(f"{arguments.under_profile}.{number}")
    return code


Worker = tuple["subprocess.Popen[bytes]", int]  # and its metrics' port


def _wait(broker: Broker, reads: dict[str, Topic], workers: list[Worker], folder: Path) -> float:
    """Seconds from the first record that was worked on to the moment when all are."""
    first = 0.0
    end = time.monotonic() + WAIT_S
    with broker.admin() as admin:
        while time.monotonic() < end:
            time.sleep(0.1)
            for process, port in workers:
                if process.poll() is not None:
                    raise SystemExit((folder / f"worker-{port}.log").read_text()[-2000:])
            # The counts before the ends: what a stage that is done has sent stands in the log then.
            _, done, _ = metrics_of([port for _, port in workers])
            if not first and done:
                first = time.monotonic()
            if all(done.get(name, 0) >= end_of(admin, topic) for name, topic in reads.items()):
                return time.monotonic() - first
    raise SystemExit(f"not done after {WAIT_S:g} s")


def end_of(admin: Any, topic: Topic) -> int:
    asked = {TopicPartition(topic.name, p): OffsetSpec.LATEST for p in range(topic.partitions)}
    return sum(at.offset for at in admin.list_partition_offsets(asked).values())


def metrics_of(ports: list[int]) -> tuple[dict[str, float], dict[str, int], int]:
    """Seconds by stage, records by stage, and posts that the folds have counted."""
    posts = 0
    seconds: dict[str, float] = defaultdict(float)
    records: dict[str, int] = defaultdict(int)
    for port in ports:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
                text = answer.read().decode()
        except OSError:  # not started yet
            continue
        for kind, stage, value in SUM.findall(text):
            seconds[stage if kind == "stage" else f"{stage} checkpoints"] += float(value)
        for stage, value in TOTAL.findall(text):
            records[stage] += int(float(value))
        posts += sum(int(float(value)) for value in POSTS.findall(text))
    spent = {name: round(value, 2) for name, value in sorted(seconds.items())}
    return spent, dict(records), posts


def delete_indices(url: str, name: str) -> None:
    with urllib.request.urlopen(f"{url}/_cat/indices/{name}-*?h=index") as answer:
        for index in answer.read().decode().split():
            request = urllib.request.Request(f"{url}/{index}", method="DELETE")
            urllib.request.urlopen(request).close()


def _table(result: dict[str, Any]) -> str:
    lines = [
        f"{result['posts']:,} posts in {result['seconds']:.1f} s: {result['posts_per_s']:,.0f} posts/s; "
        f"workers {' + '.join(result['workers'])}, {result['partitions']} partitions, "
        f"{result['store']}, {result['cores']} cores, load {result['load']:.1f}; "
        f"{result['cpu_s']:.1f} s of processor time, {result['posts_per_cpu_s']:,.0f} posts per such second",
        "",
        "| stage | records | seconds of work |",
        "|---|---:|---:|",
    ]
    for name, seconds in result["stage_s"].items():
        lines.append(f"| {name} | {result['records'].get(name, '')} | {seconds:.1f} |")
    return "\n".join(lines)


def _print_profile(folder: Path, most: int = 20) -> None:
    """The functions with the most time of their own, for each thread of each worker."""
    for path in sorted(folder.glob("*.prof.*")):
        pstats.Stats(str(path)).sort_stats("tottime").print_stats(most)


if __name__ == "__main__":
    sys.exit(main())
