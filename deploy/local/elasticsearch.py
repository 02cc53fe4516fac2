"""One Elasticsearch node on 127.0.0.1."""

from __future__ import annotations

import http.client
import json
import shutil
import stat
import zipfile
from collections.abc import Sequence
from pathlib import Path

import yaml

from deploy.local.accounts import Account
from deploy.local.errors import ServerError
from deploy.local.java import SHORT, Java
from deploy.local.maven import Bundle, Progress, cache_folder, cache_lock, fetch
from deploy.local.ports import HOST
from deploy.local.server import Server

VERSION = "8.19.3"
VERSIONS = (VERSION, "9.1.3")
# https://www.elastic.co/support/matrix, JVM: 8.x runs on 17, 9.x on 21.
_JAVA_MINIMUM = {8: 17, 9: 21}


def bundle(version: str) -> Bundle:
    """The distribution that Maven carries: the server without most of its modules."""
    coordinate = f"org.elasticsearch.distribution.integ-test-zip:elasticsearch:{version}:zip"
    return Bundle(f"elasticsearch-{version}", (coordinate,), closure=False)


class Elasticsearch(Server):
    """A single node without security: it listens on 127.0.0.1 only."""

    name = "elasticsearch"
    title = "Elasticsearch"

    def __init__(
        self,
        state_dir: Path,
        port: int = 9200,
        transport_port: int = 9300,
        heap: str = "1g",
        version: str = VERSION,
        java_options: Sequence[str] = (),
    ) -> None:
        if version not in VERSIONS:
            raise ServerError(
                f"Elasticsearch {version} is not known here: choose one of {', '.join(VERSIONS)}"
            )
        super().__init__(
            state_dir,
            {"elasticsearch.port": port, "elasticsearch.transport_port": transport_port},
            heap,
            java_options,
        )
        self.port = port
        self.transport_port = transport_port
        self.version = version

    @property
    def url(self) -> str:
        """Address for clients."""
        return f"http://{HOST}:{self.port}"

    def healthy(self) -> bool:
        """True when the cluster is at least yellow."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=5.0)
        try:
            connection.request("GET", "/_cluster/health")
            answer = connection.getresponse()
            body = answer.read()
            return answer.status == 200 and json.loads(body)["status"] in ("green", "yellow")
        except (OSError, http.client.HTTPException, ValueError, KeyError):
            return False
        finally:
            connection.close()

    def _java_minimum(self) -> int:
        return _JAVA_MINIMUM[int(self.version.split(".")[0])]

    def _files(self, progress: Progress) -> None:
        self._unpacked(progress)

    def _prepare(
        self, java: Java, owner: Account, progress: Progress
    ) -> tuple[Sequence[str], dict[str, str]]:
        home = self._unpacked(progress)
        owner.require_reach(home)
        shipped = home / "config"
        for path in shipped.iterdir():
            if path.is_file():
                shutil.copyfile(path, self.config / path.name)
        (self.config / "elasticsearch.yml").write_text(yaml.safe_dump(self._settings()))
        options = self.config / "jvm.options.d"
        options.mkdir(exist_ok=True)
        given = (f"-Xms{self.heap}", f"-Xmx{self.heap}", *self.java_options)
        (options / "heap.options").write_text("".join(f"{option}\n" for option in given))
        owner.own(self.config)  # it keeps its keystore there
        environ = {
            "CLI_JAVA_OPTS": " ".join(SHORT),  # of the program that starts the node
            "ES_JAVA_HOME": str(java.home),
            "ES_PATH_CONF": str(self.config),
            "ES_TMPDIR": str(self.temporary),
        }
        return [str(home / "bin" / "elasticsearch")], environ

    def _settings(self) -> dict[str, object]:
        return {
            "cluster.name": "tindon-local",
            "node.name": "local",
            "path.data": str(self.data),
            "path.logs": str(self.logs),
            "http.host": HOST,
            "transport.host": HOST,
            "http.port": self.port,
            "transport.port": self.transport_port,
            "discovery.type": "single-node",
            "xpack.security.enabled": False,
            # A development machine's disk is often fuller than a server's: do not turn read-only.
            "cluster.routing.allocation.disk.threshold_enabled": False,
        }

    def _unpacked(self, progress: Progress) -> Path:
        """Home of the distribution in the cache; unpacks it once.

        The stamp is written last: a folder without it is what a broken unpacking left.
        """
        [archive] = fetch(bundle(self.version), progress)
        target = cache_folder() / f"elasticsearch-{self.version}-unpacked"
        home = target / f"elasticsearch-{self.version}"
        stamp = target / "complete"
        with cache_lock(target.name):
            if not stamp.exists():
                progress(f"unpacking Elasticsearch {self.version}")
                shutil.rmtree(target, ignore_errors=True)
                _unpack(archive, target)
                stamp.touch()
        return home


def _unpack(archive: Path, target: Path) -> None:
    """Unpack so that any user can read the files and run the programs."""
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(target)
        for member in packed.infolist():
            runs = member.is_dir() or (member.external_attr >> 16) & stat.S_IXUSR
            (target / member.filename).chmod(0o755 if runs else 0o644)
    target.chmod(0o755)
