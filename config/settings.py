"""Every setting with its type and its bounds; the values stand in default.yaml.

There are no defaults here on purpose: one value, one place, with its source beside it.
A field that default.yaml lacks does not load.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from config.taxonomy import taxonomy_checksum

Port = Annotated[int, Field(ge=1, le=65535)]
Cosine = Annotated[float, Field(ge=0.0, le=1.0)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Heap = Annotated[str, Field(pattern=r"^[1-9][0-9]*[mg]$")]  # as Java's -Xmx takes it
NamePrefix = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=64)]
HttpUrl = Annotated[str, Field(pattern=r"^https?://[^/\s]+")]
HomePath = Annotated[Path, AfterValidator(Path.expanduser)]
MaybePath = Annotated[
    HomePath | None, BeforeValidator(lambda given: given if given != "" else None)
]


class Section(BaseModel):
    """A group of settings: unknown names are refused, values cannot be changed after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class Intake(Section):
    lateness_h: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    future_min: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    max_text: Count
    max_record_bytes: Annotated[int, Field(ge=1024)]
    arrival_time_sources: tuple[str, ...]
    pseudonym_key: SecretStr


class Embed(Section):
    encoder: Annotated[str, Field(min_length=1)]
    batch: Annotated[int, Field(ge=1, le=65536)]
    taxonomy: MaybePath


class Cluster(Section):
    granularity: Annotated[float, Field(ge=-1.0, le=1.0)]
    micro_threshold: Cosine
    dense_weight: Cosine
    window_days: Annotated[float, Field(gt=0, le=365)]


class Level(Section):
    score: Annotated[float, Field(ge=0, le=1)]
    min_voices: Count
    min_wordings: Annotated[int, Field(ge=0)]
    min_posts: Count
    min_shared: Annotated[float, Field(ge=0, allow_inf_nan=False)]


class LevelChange(Section):
    """Fields of a level that differ for one category."""

    score: Annotated[float, Field(ge=0, le=1)] | None = None
    min_voices: Count | None = None
    min_wordings: Annotated[int, Field(ge=0)] | None = None
    min_posts: Count | None = None
    min_shared: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None


class CategoryChange(Section):
    """Levels that differ for one category."""

    suggest: LevelChange = LevelChange()
    confirm: LevelChange = LevelChange()


class Alert(Section):
    macro_threshold: Cosine
    event_threshold: Cosine
    link_threshold: Cosine
    index_posts: Count
    claim_offer: Cosine
    claim_certain: Cosine
    suggest: Level
    confirm: Level
    categories: dict[str, CategoryChange]
    cooldown_h: Annotated[float, Field(ge=0, le=8760)]
    cover_threshold: Cosine
    per_hour: Count
    weights: dict[str, Finite]
    thresholds: dict[str, Finite]


class Time(Section):
    ticks: Literal["wall", "event"]
    replay_tick_s: Annotated[float, Field(gt=0, le=86400)]
    wall_tick_ms: Annotated[int, Field(ge=10, le=60000)]
    silent_min: Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Store(Section):
    kind: Literal["sqlite", "elasticsearch"]
    prefix: NamePrefix


Days = Annotated[int, Field(ge=0, le=36500)]  # 0: for ever


class Retention(Section):
    posts_days: Days
    trends_days: Days
    rumors_days: Days
    alerts_days: Days
    every_h: Annotated[float, Field(gt=0, le=8760)]


class Elasticsearch(Section):
    url: HttpUrl
    username: str
    password: SecretStr
    api_key: SecretStr
    ca_file: MaybePath
    verify: bool
    timeout_s: Annotated[float, Field(gt=0, le=600)]
    shards: Annotated[int, Field(ge=1, le=1024)]
    replicas: Annotated[int, Field(ge=0, le=16)]


class Kafka(Section):
    bootstrap: Annotated[str, Field(pattern=r"^[^\s,]+:[0-9]+(,[^\s,]+:[0-9]+)*$")]
    prefix: NamePrefix
    posts_partitions: Annotated[int, Field(ge=1, le=1024)]
    embedded_partitions: Annotated[int, Field(ge=1, le=1024)]
    replication: Annotated[int, Field(ge=1, le=16)]
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
    username: str
    password: SecretStr
    ca_file: MaybePath
    posts_retention_h: Annotated[int, Field(ge=1)]
    retention_h: Annotated[int, Field(ge=1)]
    create_topics: bool
    wait_s: Annotated[float, Field(ge=0, le=3600)]


class Worker(Section):
    group: NamePrefix
    instance_id: str
    checkpoint_s: Annotated[float, Field(gt=0, le=3600)]
    checkpoint_records: Count
    checkpoint_dir: MaybePath
    checkpoint_store: Literal["kafka", "disk"]
    metrics_port: Port
    fetch_records: Annotated[int, Field(ge=1, le=100000)]
    index_batch: Annotated[int, Field(ge=1, le=10000)]
    record: bool
    session_s: Annotated[float, Field(ge=1, le=1800)]
    transport: Literal["batched", "stock"]


class Servers(Section):
    kafka_port: Port
    controller_port: Port
    elasticsearch_port: Port
    transport_port: Port
    kafka_heap: Heap
    elasticsearch_heap: Heap


class Console(Section):
    host: Annotated[str, Field(min_length=1)]
    port: Port
    language: Literal["vi", "en"]


class Log(Section):
    level: Literal["debug", "info", "warning", "error"]
    json_lines: bool


# What `sha256` covers: what decides which rumor a post joins and which alert is raised ...
RESULT_SECTIONS = ("intake", "embed", "cluster", "alert", "time")
# ... less a secret, and what only decides speed: folds do not depend on batch cuts, on threads or
# on the pace of wall-clock ticks.
WITHOUT_EFFECT = {
    "intake": {"pseudonym_key"},
    "embed": {"batch"},
    "time": {"ticks", "wall_tick_ms"},
}


class Settings(Section):
    """All settings of one process."""

    state_dir: HomePath
    intake: Intake
    embed: Embed
    cluster: Cluster
    alert: Alert
    time: Time
    store: Store
    retention: Retention
    elasticsearch: Elasticsearch
    kafka: Kafka
    worker: Worker
    servers: Servers
    console: Console
    log: Log

    @property
    def sha256(self) -> str:
        """Hex SHA-256 over every setting that can change results, and over nothing else.

        The taxonomy counts by what its file holds. Raises SettingsError when that cannot be read.
        """
        covered: dict[str, Any] = {
            name: getattr(self, name).model_dump(mode="json", exclude=WITHOUT_EFFECT.get(name))
            for name in RESULT_SECTIONS
        }
        covered["embed"]["taxonomy"] = taxonomy_checksum(self.embed.taxonomy)
        text = json.dumps(covered, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()
