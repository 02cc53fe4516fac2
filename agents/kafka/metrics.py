"""What Prometheus reads from a worker's port. Base units: seconds, bytes, counts."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from time import perf_counter
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, start_http_server

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
AGES = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)
# Fine around the target of 2 s.
SEARCHABLE = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 5.0, 10.0, 30.0, 60.0, 300.0)


class PortTaken(Exception):
    """The metrics' port cannot be used; one line with the mend."""

    exit_code = 1


class Metrics:
    """All metrics of one worker, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        add: dict[str, Any] = {"registry": self.registry, "namespace": "tindon"}
        self.posts = Counter(
            "posts", "Posts by what became of them, as the folds counted.", ["outcome"], **add
        )
        self.stage_seconds = Histogram(
            "stage_seconds", "Time that a stage spent on one delivery.", ["stage"],
            buckets=SECONDS, **add,
        )  # fmt: skip
        self.age_seconds = Histogram(
            "record_age_seconds", "From a record's writing to the end of the stage's work on it.",
            ["stage"], buckets=AGES, **add,
        )  # fmt: skip
        self.records = Counter("records", "Records that a stage worked on.", ["stage"], **add)
        self.lag = Gauge(
            "lag_records", "Records behind the end of the log, uncommitted ones included.",
            ["stage", "topic", "partition"], **add,
        )  # fmt: skip
        self.micro_clusters = Gauge(
            "active_micro_clusters", "Micro-clusters inside the window.", ["partition"], **add
        )
        self.open_rumors = Gauge("open_rumors", "Rumors inside the window.", **add)
        self.waiting = Gauge(
            "alerts_waiting", "Rumors that wait for a place among the hour's alerts.", **add
        )
        self.watermark = Gauge(
            "watermark_timestamp_seconds", "Event time that the fold has reached.", ["stage"], **add
        )
        self.checkpoint_time = Gauge(
            "checkpoint_timestamp_seconds", "When the last checkpoint became durable.",
            ["stage", "partition"], **add,
        )  # fmt: skip
        self.checkpoint_bytes = Gauge(
            "checkpoint_size_bytes", "Size of the last checkpoint.", ["stage", "partition"], **add
        )
        self.checkpoint_seconds = Histogram(
            "checkpoint_seconds", "Time that a checkpoint took, work on the log standing still.",
            ["stage"], buckets=SECONDS, **add,
        )  # fmt: skip
        self.checkpoints_damaged = Counter(
            "checkpoints_damaged", "Checkpoints that were not whole when a fold was loaded.",
            ["stage"], **add,
        )  # fmt: skip
        self.dead_letters = Counter(
            "dead_letters", "Records put into posts.dead.", ["stage", "reason"], **add
        )
        self.alerts = Counter(
            "alerts",
            "Alerts that reached a level for the first time.",
            ["level", "category"],
            **add,
        )
        self.documents = Counter(
            "documents",
            "Documents handed to the store, by what became of them.",
            ["outcome"],
            **add,
        )
        self.bulk_retries = Counter(
            "bulk_retries", "Documents that were sent to the store again.", **add
        )
        self.store_waits = Counter(
            "store_unavailable", "Times that the store was away or took no writes.", **add
        )
        self.post_to_searchable = Histogram(
            "post_to_searchable_seconds",
            "From the time of a post that joins an indexed rumor until search finds it (sampled).",
            buckets=SEARCHABLE, **add,
        )  # fmt: skip
        self.unknown_fields = Counter(
            "unknown_fields", "Fields of input records that were left out.", **add
        )
        self.settings = Info("settings", "Version of the settings, and the program's.", **add)
        self.encoder = Info("encoder", "The model that turns text into vectors.", **add)

    def tell_settings(self, settings_version: str) -> None:
        """The version of the settings in force, first 12 hex digits."""
        self.settings.info({"version": settings_version, "program": version("tindon")})

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        started = perf_counter()
        yield
        self.stage_seconds.labels(stage).observe(perf_counter() - started)

    def serve(self, port: int) -> None:
        """Answer on `port`, all addresses. Raises PortTaken."""
        try:
            start_http_server(port, registry=self.registry)
        except OSError as error:
            why = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used ({error})"
            raise PortTaken(
                f"the metrics' port {port} {why}: give another with --metrics-port or worker.metrics_port"
            ) from error
