"""`python -m deploy.local up|down|status|lock`: the servers alone, for development."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from deploy.local import elasticsearch, kafka, maven
from deploy.local.errors import ServerError
from deploy.local.server import Server


def main(argv: list[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    try:
        if arguments.action == "lock":
            bundles = [kafka.BUNDLE, *map(elasticsearch.bundle, elasticsearch.VERSIONS)]
            print(f"pinned {maven.write_lock(bundles)} files")
            return 0
        return _run(arguments.action, _servers(arguments))
    except ServerError as exc:
        print(exc, file=sys.stderr)
        return 1


def _run(action: str, servers: list[Server]) -> int:
    if action == "down":
        for server in servers:
            server.stop(_say)
        return 0
    if action == "up":
        for server in servers:
            server.start(_say)
        for server in servers:
            server.wait()
    good = True
    for server in servers:
        healthy = server.healthy() and server.running()
        good &= healthy
        ports = ", ".join(f"{setting} {port}" for setting, port in server.ports.items())
        print(f"{server.title}: {'up' if healthy else 'down'} ({ports})")
    return 0 if good else 1


def _servers(arguments: argparse.Namespace) -> list[Server]:
    servers: list[Server] = []
    state: Path = arguments.state
    if arguments.only in (None, "kafka"):
        servers.append(kafka.Kafka(state, arguments.kafka_port, arguments.kafka_controller_port))
    if arguments.only in (None, "elasticsearch"):
        ports = arguments.elasticsearch_port, arguments.elasticsearch_transport_port
        version = arguments.elasticsearch_version
        servers.append(elasticsearch.Elasticsearch(state, *ports, version=version))
    return servers


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    parser.add_argument("action", choices=("up", "down", "status", "lock"))
    parser.add_argument("--state", type=Path, default=Path("state"), help="folder for everything")
    parser.add_argument("--only", choices=("kafka", "elasticsearch"))
    parser.add_argument("--kafka-port", type=int, default=9092)
    parser.add_argument("--kafka-controller-port", type=int, default=9093)
    parser.add_argument("--elasticsearch-port", type=int, default=9200)
    parser.add_argument("--elasticsearch-transport-port", type=int, default=9300)
    parser.add_argument("--elasticsearch-version", default=elasticsearch.VERSION)
    return parser


if __name__ == "__main__":
    sys.exit(main())
