"""One Kafka broker in KRaft mode on 127.0.0.1."""

from __future__ import annotations

import base64
import socket
import struct
import subprocess
import uuid
from collections.abc import Sequence
from pathlib import Path

from deploy.local.accounts import Account
from deploy.local.errors import ServerError
from deploy.local.java import SHORT, Java
from deploy.local.maven import Bundle, Progress, fetch
from deploy.local.ports import HOST
from deploy.local.server import Server, telling_line

VERSION = "4.1.1"
BUNDLE = Bundle(
    f"kafka-{VERSION}",
    (
        f"org.apache.kafka:kafka_2.13:{VERSION}:jar",
        "org.apache.logging.log4j:log4j-core:2.24.3:jar",
        "org.apache.logging.log4j:log4j-slf4j-impl:2.24.3:jar",
    ),
    closure=True,
)

# In a small heap a batch of messages is as large as a region of G1, which then marks all the time: 24 instead
# of 17 ms of processor time for 256 posts on the road, in the broker's first minute [measured].
_COLLECTOR = "-XX:+UseSerialGC"

_LOG4J = """\
# Written at every start. Without a configuration the broker logs nothing.
status = error
appender.file.type = RollingFile
appender.file.name = file
appender.file.fileName = {logs}/server.log
appender.file.filePattern = {logs}/server.log.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{{ISO8601}} %-5p %c{{1}} %m%n
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 20MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 3
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{{ISO8601}} %-5p %c{{1}} %m%n
rootLogger.level = info
rootLogger.appenderRef.file.ref = file
rootLogger.appenderRef.console.ref = console
rootLogger.appenderRef.console.level = error
"""


class Kafka(Server):
    """A single broker that is its own controller; topics are made explicitly, never on use."""

    name = "kafka"
    title = "Kafka"

    def __init__(
        self,
        state_dir: Path,
        port: int = 9092,
        controller_port: int = 9093,
        heap: str = "512m",
        java_options: Sequence[str] = (),
    ) -> None:
        ports = {"kafka.port": port, "kafka.controller_port": controller_port}
        super().__init__(state_dir, ports, heap, java_options)
        self.port = port
        self.controller_port = controller_port

    @property
    def bootstrap(self) -> str:
        """Address for clients."""
        return f"{HOST}:{self.port}"

    def healthy(self) -> bool:
        """True when the broker is registered and answers a metadata request."""
        try:
            return _brokers(self.port) > 0
        except (OSError, ValueError, struct.error):
            return False

    def _java_minimum(self) -> int:
        return 17

    def _files(self, progress: Progress) -> None:
        fetch(BUNDLE, progress)

    def _prepare(
        self, java: Java, owner: Account, progress: Progress
    ) -> tuple[Sequence[str], dict[str, str]]:
        jars = fetch(BUNDLE, progress)
        owner.require_reach(jars[0].parent)
        log4j = self.config / "log4j2.properties"
        log4j.write_text(_LOG4J.format(logs=self.logs))
        properties = self.config / "server.properties"
        properties.write_text("".join(f"{key}={value}\n" for key, value in self._settings()))
        options = [
            f"-Xmx{self.heap}", _COLLECTOR, f"-Djava.io.tmpdir={self.temporary}",
            f"-XX:ErrorFile={self.logs}/hs_err_pid%p.log", "-XX:+ExitOnOutOfMemoryError",
            f"-Dlog4j2.configurationFile={log4j}", "-cp", ":".join(map(str, jars)),
        ]  # fmt: skip
        if not (self.data / "meta.properties").exists():
            self._format([str(java.command), *SHORT, *options], owner, properties, progress)
        command = [str(java.command), *self.java_options, *options]
        return [*command, "kafka.Kafka", str(properties)], {}

    def _format(
        self, java_command: Sequence[str], owner: Account, properties: Path, progress: Progress
    ) -> None:
        progress("formatting the storage of Kafka")
        argv = [*java_command, "kafka.tools.StorageTool", "format", "-t", _cluster_id()]
        done = subprocess.run(
            owner.command([*argv, "-c", str(properties)]),
            capture_output=True, text=True, timeout=120, check=False, cwd="/",
        )  # fmt: skip
        if done.returncode:
            raise ServerError(
                f"Kafka's storage at {self.data} cannot be formatted "
                f"({telling_line(done.stdout + done.stderr)}): "
                "empty that folder, or choose another state folder"
            )

    def _settings(self) -> list[tuple[str, object]]:
        listeners = f"PLAINTEXT://{self.bootstrap},CONTROLLER://{HOST}:{self.controller_port}"
        return [
            ("process.roles", "broker,controller"),
            ("node.id", 1),
            ("controller.quorum.voters", f"1@{HOST}:{self.controller_port}"),
            ("listeners", listeners),
            ("advertised.listeners", f"PLAINTEXT://{self.bootstrap}"),
            ("controller.listener.names", "CONTROLLER"),
            ("inter.broker.listener.name", "PLAINTEXT"),
            ("listener.security.protocol.map", "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT"),
            ("log.dirs", self.data),
            ("auto.create.topics.enable", "false"),
            ("num.partitions", 1),
            ("group.initial.rebalance.delay.ms", 0),
            # One broker holds the only copy of its own topics.
            ("offsets.topic.replication.factor", 1),
            ("transaction.state.log.replication.factor", 1),
            ("transaction.state.log.min.isr", 1),
            ("share.coordinator.state.topic.replication.factor", 1),
            ("share.coordinator.state.topic.min.isr", 1),
            # 50 partitions each by default: seconds of a small machine's first start.
            ("offsets.topic.num.partitions", 4),
            ("transaction.state.log.num.partitions", 4),
        ]


def _cluster_id() -> str:
    """A random id in Kafka's notation: 16 bytes in base64url, not starting with a dash."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
        if not text.startswith("-"):
            return text


def _brokers(port: int) -> int:
    """Brokers that a metadata request (version 4, no topics) names; 0 while none is ready."""
    client = b"tindon"
    # api key 3, api version 4, correlation id, client id; 0 topics, create none.
    request = struct.pack(">hhih", 3, 4, 1, len(client)) + client + struct.pack(">ib", 0, 0)
    with socket.create_connection((HOST, port), timeout=2.0) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        answer = b""
        while len(answer) < 16:  # size, correlation id, throttle time, number of brokers
            part = connection.recv(16 - len(answer))
            if not part:
                raise ValueError("the connection ended early")
            answer += part
    return int(struct.unpack(">iiii", answer)[3])
