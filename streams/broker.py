"""Where the Kafka broker is, how each client speaks to it, and the wait for it at a start."""

from __future__ import annotations

import logging
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from config import Settings

log = logging.getLogger(__name__)

PROBE_S = 2.0
"""One attempt to open a connection."""

BOOTSTRAP_MS = 10_000
"""How long an open connection may take to answer as Kafka: log-in and encryption included."""


class BrokerError(Exception):
    """Kafka is away, is not Kafka, or refuses; one line with the mend."""

    exit_code = 1


class Broker:
    """Access to one Kafka, as the settings name it. Opens nothing by itself."""

    def __init__(self, settings: Settings) -> None:
        kafka = settings.kafka
        self.bootstrap = kafka.bootstrap
        self.protocol = kafka.security_protocol
        self.mechanism = kafka.sasl_mechanism
        self.username = kafka.username
        self.password = kafka.password.get_secret_value()
        self.ca_file = str(kafka.ca_file) if kafka.ca_file else None
        self.wait_s = kafka.wait_s

    def __repr__(self) -> str:
        return f"Broker({self.bootstrap}, {self.protocol})"

    @property
    def sasl(self) -> bool:
        return self.protocol.startswith("SASL")

    def ssl_context(self) -> ssl.SSLContext | None:
        """None without encryption. Raises BrokerError for a file that holds no certificate."""
        if not self.protocol.endswith("SSL"):
            return None
        try:
            return ssl.create_default_context(cafile=self.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise BrokerError(
                f"kafka.ca_file {self.ca_file} cannot be used ({error}): give a PEM file"
            ) from error

    def client_options(self) -> dict[str, Any]:
        """Keyword arguments of aiokafka's clients."""
        options: dict[str, Any] = {"bootstrap_servers": self.bootstrap}
        return options | self._security("sasl_plain_password")

    def admin_options(self) -> dict[str, Any]:
        """Keyword arguments of kafka-python's clients."""
        options: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap.split(","),
            "bootstrap_timeout_ms": BOOTSTRAP_MS,
        }
        return options | self._security("sasl_plain_password")

    def _security(self, password: str) -> dict[str, Any]:
        options: dict[str, Any] = {"security_protocol": self.protocol}
        if context := self.ssl_context():
            options["ssl_context"] = context
        if self.sasl:
            options["sasl_mechanism"] = self.mechanism
            options["sasl_plain_username"] = self.username
            options[password] = self.password
        return options

    @contextmanager
    def admin(self) -> Iterator[KafkaAdminClient]:
        """A client for topics and groups. Raises BrokerError when Kafka does not answer."""
        try:
            client = KafkaAdminClient(**self.admin_options())
        except (KafkaError, OSError, ValueError) as error:
            raise BrokerError(self._no_answer(error)) from error
        try:
            yield client
        finally:
            client.close()

    def _no_answer(self, error: BaseException) -> str:
        causes = "kafka.bootstrap and kafka.security_protocol"
        if self.sasl:
            causes += ", and user name, password and kafka.sasl_mechanism"
        if self.protocol.endswith("SSL"):
            causes += ", and kafka.ca_file"
        return (
            f"{self.bootstrap} does not answer as Kafka ({type(error).__name__}): check {causes}, "
            "and the broker's log"
        )

    def wait(self) -> None:
        """Return once the port is open. Raises BrokerError after `kafka.wait_s`."""
        end = time.monotonic() + self.wait_s
        said = False
        while True:
            cause = self._probe()
            if cause is None:
                return
            if time.monotonic() >= end:
                raise BrokerError(
                    f"no Kafka at {self.bootstrap} ({cause}), waited {self.wait_s:g} s: "
                    "start it, or set kafka.bootstrap to where it is"
                )
            if not said:
                log.warning(
                    "no Kafka at %s (%s): waiting %g s for it", self.bootstrap, cause, self.wait_s
                )
                said = True
            time.sleep(min(0.5, max(end - time.monotonic(), 0.01)))

    def _probe(self) -> str | None:
        """Why none of the addresses takes a connection; None when one does."""
        cause = ""
        for address in self.bootstrap.split(","):
            host, _, port = address.rpartition(":")
            try:
                with socket.create_connection((host.strip("[]"), int(port)), timeout=PROBE_S):
                    return None
            except (OSError, OverflowError) as error:
                cause = getattr(error, "strerror", None) or str(error)
        return cause
