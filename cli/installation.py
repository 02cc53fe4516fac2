"""What `tindon up` brings up from one state folder: two servers, workers, the console."""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cli.errors import UserError, WrongUse
from cli.processes import Process
from deploy.local import Elasticsearch, Kafka, ServerError
from deploy.local.memory import OUTSIDE_HEAP_BYTES, available_bytes, heap_bytes
from deploy.local.ports import HOST, holder, is_free
from deploy.local.process import members, read_record

if TYPE_CHECKING:
    from config import Loaded, Settings

PARTS = ("kafka", "elasticsearch", "worker", "console")  # in the order of starting

OUTSIDE_STATE = Path("/var/lib/tindon")
"""Where root's servers keep their data when the state folder is closed to their system users."""

WORKER_BYTES = 400 << 20
CONSOLE_BYTES = 120 << 20
"""Resident sizes after a day of 6,400 posts with the shipped encoder: 270 and 85 MB, rounded up."""


class Installation:
    """The parts of one state folder, each with the ports that the settings give it."""

    def __init__(self, found: Loaded) -> None:
        self._origins = found.origins
        self.settings = _for_servers(found)
        self.state_dir = found.settings.state_dir.absolute()
        servers = self.settings.servers
        self._server_ports = {
            "kafka": {
                "servers.kafka_port": servers.kafka_port,
                "servers.controller_port": servers.controller_port,
            },
            "elasticsearch": {
                "servers.elasticsearch_port": servers.elasticsearch_port,
                "servers.transport_port": servers.transport_port,
            },
        }
        self._file = found.file

    # --- servers ------------------------------------------------------------------------------

    @property
    def servers_folder(self) -> Path:
        """Where the servers' files are."""
        return (self.state_dir / "servers").resolve()

    def make_folders(self) -> None:
        """Make the state folder, and one for the servers that their system users can enter."""
        self.state_dir.mkdir(parents=True, exist_ok=True)
        folder = self.state_dir / "servers"
        if not folder.is_symlink() and not folder.exists() and _is_closed(self.state_dir):
            name = hashlib.sha256(str(self.state_dir).encode()).hexdigest()[:12]
            folder.symlink_to(OUTSIDE_STATE / name)
        folder.resolve().mkdir(parents=True, exist_ok=True)

    def server(self, part: str) -> Kafka | Elasticsearch:
        """Kafka or Elasticsearch at the ports of the settings."""
        folder, servers = self.servers_folder, self.settings.servers
        port, second = self._server_ports[part].values()
        try:
            if part == "kafka":
                return Kafka(folder, port, second, heap=servers.kafka_heap)
            return Elasticsearch(folder, port, second, heap=servers.elasticsearch_heap)
        except ServerError as error:
            raise UserError(str(error)) from error

    def address(self, part: str) -> str:
        return f"{HOST}:{next(iter(self._server_ports[part].values()))}"

    # --- processes of ours --------------------------------------------------------------------

    def worker(self, number: int) -> Process:
        """The worker of that number, from 1; its metrics' port is counted up with it."""
        port = self.settings.worker.metrics_port + number - 1
        environment = self.environment | {"TINDON_WORKER__METRICS_PORT": str(port)}
        if number > 1 and (instance := self.settings.worker.instance_id):
            environment["TINDON_WORKER__INSTANCE_ID"] = f"{instance}-{number}"
        return Process(
            f"worker-{number}", f"worker {number}", ["worker"],
            self.state_dir, {"worker.metrics_port": port}, environment,
        )  # fmt: skip

    def workers(self) -> list[Process]:
        """The workers that were started and not stopped."""
        found = (self.state_dir / "run").glob("worker-*.pid")
        numbers = [path.stem.removeprefix("worker-") for path in found]
        return [self.worker(number) for number in sorted(int(n) for n in numbers if n.isdigit())]

    def console(self) -> Process:
        ports = {"console.port": self.settings.console.port}
        return Process(
            "console", "the console", ["console"], self.state_dir, ports, self.environment
        )

    @property
    def environment(self) -> dict[str, str]:
        """What our processes are told beyond the settings that they read themselves."""
        told = {
            "TINDON_STATE_DIR": str(self.state_dir),
            "TINDON_KAFKA__BOOTSTRAP": self.settings.kafka.bootstrap,
            "TINDON_ELASTICSEARCH__URL": self.settings.elasticsearch.url,
            "TINDON_STORE__KIND": self.settings.store.kind,
        }
        if self._file is not None:
            told["TINDON_CONFIG"] = str(self._file.absolute())
        return told

    # --- checks before anything is started ----------------------------------------------------

    def usual_parts(self) -> list[str]:
        """All; no Elasticsearch where the settings ask for SQLite."""
        return [
            part
            for part in PARTS
            if part != "elasticsearch" or self.settings.store.kind == "elasticsearch"
        ]

    def require_own_addresses(self, parts: list[str]) -> None:
        """Raise WrongUse when a server would be started that the settings do not lead to."""
        places = {
            "kafka": ("kafka.bootstrap", self.settings.kafka.bootstrap),
            "elasticsearch": (
                "elasticsearch.url",
                self.settings.elasticsearch.url.removeprefix("http://").rstrip("/"),
            ),
        }
        for part, (setting, given) in places.items():
            here = self.address(part)
            if part not in parts or given in (here, here.replace(HOST, "localhost")):
                continue
            others = ",".join(one for one in parts if one != part)
            raise WrongUse(
                f"{setting} is {given} (from {self._origins[setting]}), and {part} would be "
                f"started at {here}: take that setting away, or use what is there with "
                f"--only {others}"
            )

    def running_ports(self, part: str) -> dict[str, int] | None:
        """The ports of a server that runs from this folder, named as settings; None for none."""
        record = read_record(self.servers_folder / "run" / f"{part}.pid")
        if record is None or not members(record):
            return None
        return dict(zip(self._server_ports[part], record.ports.values(), strict=False))

    def require_free_ports(self, parts: list[str], processes: list[Process]) -> None:
        """Raise UserError for a port that is taken, and for what runs on other ports than set."""
        wanted = [
            (part, self._server_ports[part], self.running_ports(part))
            for part in parts
            if part in self._server_ports
        ]
        for one in processes:
            record = one.record
            wanted.append((one.title, one.ports, record.ports if record else None))
        taken: dict[int, str] = {}
        for title, ports, running in wanted:
            for setting, port in ports.items():
                if port in taken:
                    raise UserError(f"{setting} and {taken[port]} are both {port}: change one")
                taken[port] = setting
            if running is not None and running != ports:
                held = ", ".join(f"{setting} {port}" for setting, port in running.items())
                raise UserError(f"{title} runs already with {held}: `tindon down` first")
            if running is None:
                for setting, port in ports.items():
                    _require_free(setting, port)

    def require_memory(self, parts: list[str], processes: list[Process]) -> None:
        """Raise UserError when the machine has no room for all that is to be started."""
        servers = self.settings.servers
        heaps = {"kafka": servers.kafka_heap, "elasticsearch": servers.elasticsearch_heap}
        missing = [part for part in parts if part in heaps and self.running_ports(part) is None]
        needed = sum(heap_bytes(heaps[part]) + OUTSIDE_HEAP_BYTES for part in missing)
        needed += sum(
            CONSOLE_BYTES if one.name == "console" else WORKER_BYTES
            for one in processes
            if one.record is None
        )
        available = available_bytes()
        if available is not None and available < needed:
            settings = " or ".join(f"servers.{part}_heap" for part in missing)
            lower = f"set {settings} lower, or " if missing else ""
            raise UserError(
                f"{needed >> 20:,} MiB of memory are needed and {available >> 20:,} MiB are free: "
                f"{lower}stop something"
            )

    @contextmanager
    def alone(self) -> Iterator[None]:
        """No other `tindon up` or `down` works on this state folder meanwhile."""
        folder = self.state_dir / "run"
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "up.lock").open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise UserError(
                    f"another `tindon up` or `down` is at work in {self.state_dir}: wait for it"
                ) from error
            yield


def _for_servers(found: Loaded) -> Settings:
    """The settings with Elasticsearch as the store, unless a store was asked for."""
    if found.origins["store.kind"] != "default":
        return found.settings
    store = found.settings.store.model_copy(update={"kind": "elasticsearch"})
    return found.settings.model_copy(update={"store": store})


def _is_closed(folder: Path) -> bool:
    """True when we are root and the system users that the servers run as cannot come in here."""
    if os.geteuid() != 0:
        return False
    return not all(one.stat().st_mode & stat.S_IXOTH for one in (folder, *folder.parents))


def _require_free(setting: str, port: int) -> None:
    variable = f"TINDON_{setting.upper().replace('.', '__')}"
    try:
        if is_free(port):
            return
    except ServerError as error:
        raise UserError(f"{error}: set {setting} ({variable})") from error
    raise UserError(
        f"port {port} is taken by {holder(port)}: set {setting} ({variable}), or stop that"
    )
