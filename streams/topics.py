"""The topics: the one place that says their names, partitions and how long they keep what."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NamedTuple

from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewTopic
from kafka.errors import KafkaError, TopicAlreadyExistsError

from config import Settings
from streams.broker import Broker, BrokerError
from streams.checkpoints.kafka import TOPIC_CONFIG

HOUR_MS = 3_600_000

LARGEST_POST = 4 << 20
"""Bytes of a message in `posts`. More than `intake.max_record_bytes` on purpose: a post that is too large
comes in and is counted as dead, instead of being refused where nobody sees it."""

LARGEST_RECORD = 16 << 20
"""Bytes of a frame or change. They stay far below it; 64 posts of the longest text are 3 MB."""

COMPACTION_LAG_MS = 10 * 60_000
"""Time for which nothing is compacted away, so that whoever is reading meets no gap."""


CHECKPOINT_PARTITIONS = 4
"""One for the manifests, the others for the states."""


class Topic(NamedTuple):
    name: str
    partitions: int
    settings: dict[str, str]


class Topics:
    """The topics of one installation."""

    def __init__(self, settings: Settings) -> None:
        kafka = settings.kafka
        prefix = kafka.prefix
        posts = _kept(kafka.posts_retention_h) | {"max.message.bytes": str(LARGEST_POST)}
        logs = _kept(kafka.retention_h) | {"max.message.bytes": str(LARGEST_RECORD)}
        compacted = _COMPACTED | {"max.message.bytes": str(LARGEST_RECORD)}
        self.replication = kafka.replication
        self.create_missing = kafka.create_topics
        self.posts = Topic(f"{prefix}posts", kafka.posts_partitions, posts)
        self.embedded = Topic(f"{prefix}posts.embedded", kafka.embedded_partitions, logs)
        self.dead = Topic(f"{prefix}posts.dead", 1, logs)
        self.changes = Topic(f"{prefix}rumors.input", 1, logs)
        self.alerts = Topic(f"{prefix}alerts", 1, compacted)
        self.assignments = Topic(f"{prefix}assignments", 1, logs)
        self.applied = Topic(f"{prefix}settings", 1, _FOREVER)
        states = {**TOPIC_CONFIG, "min.compaction.lag.ms": str(COMPACTION_LAG_MS)}
        self.checkpoints = Topic(f"{prefix}checkpoints", CHECKPOINT_PARTITIONS, states)

    def all(self) -> list[Topic]:
        return [
            self.posts,
            self.embedded,
            self.dead,
            self.changes,
            self.alerts,
            self.assignments,
            self.applied,
            self.checkpoints,
        ]


def _kept(hours: int) -> dict[str, str]:
    return {"cleanup.policy": "delete", "retention.ms": str(hours * HOUR_MS)}


_FOREVER = {"cleanup.policy": "delete", "retention.ms": "-1"}
"""Settings that were applied, some KB each: the list that a rollback chooses from."""

_COMPACTED = {"cleanup.policy": "compact", "min.compaction.lag.ms": str(COMPACTION_LAG_MS)}


def ensure(broker: Broker, topics: Topics, wanted: Iterable[Topic]) -> None:
    """Create what is missing, check the rest; raises BrokerError with the mend."""
    wanted = list(wanted)
    with broker.admin() as admin:
        try:
            found = _partitions(admin)
            missing = [topic for topic in wanted if topic.name not in found]
            if missing and not topics.create_missing:
                names = ", ".join(topic.name for topic in missing)
                raise BrokerError(
                    f"missing at {broker.bootstrap}: {names}; create them, or set "
                    "kafka.create_topics to true, or kafka.prefix to that of the topics there"
                )
            if missing:
                _create(admin, missing, topics.replication)
        except KafkaError as error:
            raise BrokerError(f"topics at {broker.bootstrap}: {_said(error)}") from error
    for topic in wanted:
        if topic not in missing and found[topic.name] != topic.partitions:
            raise BrokerError(_other_count(topic, found[topic.name], topics))


def _other_count(topic: Topic, found: int, topics: Topics) -> str:
    if topic.name == topics.embedded.name and found < topic.partitions:
        return (
            f"the topic {topic.name} has {found} partitions instead of {topic.partitions}: stop the "
            f"workers and run: tindon grow {topic.partitions}"
        )
    setting = {
        topics.posts.name: "kafka.posts_partitions",
        topics.embedded.name: "kafka.embedded_partitions",
    }.get(topic.name)
    if setting:
        mend = f"set {setting} to {found}, or make the topic anew"
    else:
        mend = f"delete it, and it is made with {topic.partitions}"
    return f"the topic {topic.name} has {found} partitions instead of {topic.partitions}: {mend}"


def _create(admin: KafkaAdminClient, missing: list[Topic], replication: int) -> None:
    for topic in missing:
        new = NewTopic(topic.name, topic.partitions, replication, topic_configs=topic.settings)
        with suppress(TopicAlreadyExistsError):  # another worker was faster
            admin.create_topics([new], timeout_ms=30_000)
    admin.wait_for_topics([topic.name for topic in missing], timeout_ms=30_000)


def _partitions(admin: KafkaAdminClient) -> dict[str, int]:
    return {
        found["name"]: len(found["partitions"])
        for found in admin.describe_topics()
        if not found["error_code"]
    }


class Difference(NamedTuple):
    """A setting of a topic that is not as this program asks for it."""

    topic: str
    setting: str
    stands: str | None
    wanted: str

    def __str__(self) -> str:
        return f"{self.topic}: {self.setting} is {self.stands} instead of {self.wanted}"


class Plan(NamedTuple):
    """What is to be done so that the topics are as the settings ask; both empty: nothing."""

    create: list[Topic]
    alter: list[Difference]


def plan(broker: Broker, topics: Topics) -> Plan:
    """What the topics lack; raises BrokerError for one with another count of partitions."""
    wanted = topics.all()
    with broker.admin() as admin:
        try:
            found = _partitions(admin)
        except KafkaError as error:
            raise BrokerError(f"topics at {broker.bootstrap}: {_said(error)}") from error
    standing = [topic for topic in wanted if topic.name in found]
    for topic in standing:
        if found[topic.name] != topic.partitions:
            raise BrokerError(_other_count(topic, found[topic.name], topics))
    missing = [topic for topic in wanted if topic.name not in found]
    return Plan(missing, other_settings(broker, standing))


def carry_out(broker: Broker, topics: Topics, planned: Plan) -> None:
    """Create and alter as planned; raises BrokerError."""
    with broker.admin() as admin:
        try:
            if planned.create:
                _create(admin, planned.create, topics.replication)
            for one in planned.alter:
                change = ConfigResource(
                    ConfigResourceType.TOPIC, one.topic, {one.setting: one.wanted}
                )
                admin.alter_configs([change])
        except KafkaError as error:
            raise BrokerError(f"topics at {broker.bootstrap}: {_said(error)}") from error


def other_settings(broker: Broker, wanted: Iterable[Topic]) -> list[Difference]:
    """The settings of topics, all of them there, that differ from what this program asks for."""
    differences = []
    with broker.admin() as admin:
        for topic in wanted:
            resource = ConfigResource(ConfigResourceType.TOPIC, topic.name)
            described: dict[str, Any] = admin.describe_configs([resource], config_filter="all")
            values = described["topic"][topic.name]
            for name, value in topic.settings.items():
                stands = values.get(name, {}).get("value")
                if stands != value:
                    differences.append(Difference(topic.name, name, stands, value))
    return differences


def partitions_of(broker: Broker, topic: Topic) -> int:
    """How many the topic has at the broker. Raises BrokerError."""
    with broker.admin() as admin:
        try:
            found = _partitions(admin).get(topic.name)
        except KafkaError as error:
            raise BrokerError(f"topics at {broker.bootstrap}: {_said(error)}") from error
    if found is None:
        raise BrokerError(f"the topic {topic.name} is missing at {broker.bootstrap}: create it")
    return found


def topic_id(broker: Broker, topic: Topic) -> str:
    """The UUID that Kafka gave the topic when it was made: another topic of that name has another."""
    with broker.admin() as admin:
        try:
            found = admin.describe_topics([topic.name])
        except KafkaError as error:
            raise BrokerError(f"topics at {broker.bootstrap}: {_said(error)}") from error
    if not found or found[0]["error_code"]:
        raise BrokerError(f"the topic {topic.name} is missing at {broker.bootstrap}: create it")
    return str(found[0]["topic_id"])


def _said(error: KafkaError) -> str:
    """The broker's own words out of the client's error, which repeats the whole request."""
    own = re.search(r"error_message='([^']*)'", str(error))
    return own[1] if own else " ".join(str(error).split()) or type(error).__name__
