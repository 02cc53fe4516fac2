"""What the doctor looks at for Kafka, Elasticsearch and what `tindon up` needs to start them."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cli.finding import Finding
from deploy.local import ServerError
from deploy.local.java import find_java
from deploy.local.maven import cache_folder
from deploy.local.memory import OUTSIDE_HEAP_BYTES, available_bytes, heap_bytes
from deploy.local.process import members, read_record

if TYPE_CHECKING:
    from config import Settings

JAVA_MIN = 17  # https://kafka.apache.org/documentation/#java and Elasticsearch's support matrix


def java(settings: Settings) -> Finding:
    """Needed for local servers only (`tindon up`)."""
    try:
        found = find_java(JAVA_MIN)
    except ServerError as error:
        return _lack("java", *str(error).split(": ", 1))
    return Finding("java", f"{found.version} ({found.command})")


def maven(settings: Settings) -> Finding:
    """Needed once, to download the servers."""
    have = shutil.which("mvn")
    if have is not None:
        return Finding("maven", have)
    folders = [cache_folder() / name for name in ("kafka-*", "elasticsearch-*-unpacked")]
    if all(any(folder.parent.glob(folder.name)) for folder in folders):
        return Finding("maven", f"not found; not needed, {cache_folder()} holds the servers")
    return _lack("maven", "not found", "install maven if you want `tindon up` to get the servers")


def memory(settings: Settings) -> Finding:
    """Room for those servers that do not run yet."""
    servers = settings.servers
    heaps = {"kafka": servers.kafka_heap, "elasticsearch": servers.elasticsearch_heap}
    heaps = {name: heap for name, heap in heaps.items() if not _runs(settings, name)}
    needed = sum(heap_bytes(heap) + OUTSIDE_HEAP_BYTES for heap in heaps.values())
    available = available_bytes()
    if available is None:
        return Finding("memory", f"unknown; the servers need {needed >> 20:,} MiB")
    detail = f"{available >> 20:,} MiB free, the servers need {needed >> 20:,} more"
    if available < needed:
        lower = " or ".join(f"servers.{name}_heap" for name in heaps)
        return _lack("memory", detail, f"set {lower} lower, or stop something")
    return Finding("memory", detail)


def chromium(settings: Settings) -> Finding:
    """For the console's tests only."""
    have = shutil.which("chromium") or shutil.which("chromium-browser")
    if have is None:
        return _lack("chromium", "not found", "install chromium to run the console's tests")
    return Finding("chromium", have)


def kafka(settings: Settings) -> list[Finding]:
    """Whether Kafka answers, and, if so, the topics."""
    from streams.broker import Broker, BrokerError
    from streams.topics import Topics, plan

    at_once = settings.kafka.model_copy(update={"wait_s": 0.0})
    broker = Broker(settings.model_copy(update={"kafka": at_once}))
    name = "kafka"
    try:
        with _quiet():
            broker.wait()
            with broker.admin() as admin:
                brokers = len(admin.describe_cluster()["brokers"])
            findings = [Finding(name, f"{broker.bootstrap} answers, brokers: {brokers}")]
            name = "topics"
            planned = plan(broker, Topics(settings))
    except BrokerError as error:
        what, _, mend = re.sub(r", waited \S+ s", "", str(error)).partition(": ")
        up = "run `tindon up`, or set kafka.bootstrap to where it is"
        before = [] if name == "kafka" else findings
        return [*before, _lack(name, what, up if "start it" in mend else mend)]
    changes = len(planned.create) + len(planned.alter)
    detail = (
        f"{settings.kafka.prefix}*: {f'{changes} to be made or changed' if changes else 'good'}"
    )
    mend = "run `tindon apply`" if changes else ""
    return [*findings, Finding(name, detail, mend, essential=False)]


def elasticsearch(settings: Settings) -> list[Finding]:
    """Whether Elasticsearch answers, its version, and, if so, the index templates."""
    from cli.apply import elasticsearch_store
    from stores import StoreError

    name = "elasticsearch"
    findings = []
    try:
        quick = settings.elasticsearch.model_copy(update={"timeout_s": 5.0})
        store = elasticsearch_store(settings.model_copy(update={"elasticsearch": quick}))
        try:
            findings.append(Finding(name, store.check().removeprefix("Elasticsearch ")))
            name = "templates"
            changes = len(store.plan())
        finally:
            store.close()
    except StoreError as error:
        what, _, mend = str(error).rpartition(": ")
        what = re.sub(r" \(HTTPS?Connection\(.*\)", "", what)
        return [*findings, _lack(name, what, mend.rstrip("."))]
    state = f"{changes} to be made or changed" if changes else "good"
    mend = "run `tindon apply`" if changes else ""
    return [*findings, Finding(name, f"{settings.store.prefix}*: {state}", mend, essential=False)]


def _lack(name: str, detail: str, mend: str = "") -> Finding:
    return Finding(name, detail, mend or "see docs/running.md", essential=False)


def _runs(settings: Settings, server: str) -> bool:
    record = read_record(settings.state_dir / "servers" / "run" / f"{server}.pid")
    return record is not None and bool(members(record))


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the clients' log: what it would say stands in the finding."""
    import logging

    logging.disable(logging.ERROR)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
