"""A node with TLS and users, for tests of access; certificates and password are made for them."""

from __future__ import annotations

import ssl
import subprocess
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path

from deploy.local import Elasticsearch
from deploy.local.accounts import Account
from deploy.local.java import Java
from deploy.local.maven import Progress

PASSWORD = "an-invented-password"
# `elasticsearch-users useradd` of that password; salted, so it is the same for all test users.
_HASH = "$2a$10$tyI4nxBcVjgmuKE1/hs3QOZjl6hi5n6tYcCSzTG2quDBvD/pphJIa"
# The roles that deploy gives, for the prefixes of tests instead of `tindon-`.
_FILE = Path(__file__).resolve().parents[2] / "deploy" / "elasticsearch" / "roles.yml"
_ROLES = _FILE.read_text(encoding="utf-8").replace('"tindon-', '"t*-')
_USERS = {
    "admin": "superuser",
    "writer": "tindon_writer",
    "setup": "tindon_setup",
    "reader": "tindon_console",
    "analyst": "tindon_analyst",
    "lead": "tindon_lead",
}


class SecureElasticsearch(Elasticsearch):
    """HTTPS by an authority of its own; small limits, so that tests reach them."""

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def ca(self) -> Path:
        return self.config / "tls" / "ca.pem"

    def healthy(self) -> bool:
        if not self.ca.exists():
            return False
        request = urllib.request.Request(f"{self.url}/_cluster/health")
        secret = b64encode(f"admin:{PASSWORD}".encode()).decode()
        request.add_header("authorization", f"Basic {secret}")
        context = ssl.create_default_context(cafile=str(self.ca))
        try:
            with urllib.request.urlopen(request, timeout=5, context=context) as answer:
                return b'"red"' not in answer.read()
        except (urllib.error.URLError, OSError):
            return False

    def _prepare(
        self, java: Java, owner: Account, progress: Progress
    ) -> tuple[Sequence[str], dict[str, str]]:
        command = super()._prepare(java, owner, progress)
        make_certificates(self.config / "tls")
        (self.config / "roles.yml").write_text(_ROLES)
        (self.config / "users").write_text("".join(f"{name}:{_HASH}\n" for name in _USERS))
        (self.config / "users_roles").write_text(
            "".join(f"{role}:{name}\n" for name, role in _USERS.items())
        )
        owner.own(self.config)
        return command

    def _settings(self) -> dict[str, object]:
        return {
            **super()._settings(),
            "xpack.security.enabled": True,
            "xpack.security.http.ssl.enabled": True,
            "xpack.security.http.ssl.key": "tls/node.key",
            "xpack.security.http.ssl.certificate": "tls/node.pem",
            "xpack.security.autoconfiguration.enabled": False,
            "http.max_content_length": "1mb",
            "indexing_pressure.memory.limit": "2mb",
        }


def make_certificates(folder: Path) -> None:
    """An authority (ca.pem) and a certificate of 127.0.0.1 signed by it (node.pem, node.key)."""
    if (folder / "node.pem").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl(
        "req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
        "-subj", "/CN=test authority",
    )  # fmt: skip
    openssl("req", *curve, "-keyout", "node.key", "-out", "node.csr", "-subj", "/CN=localhost")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    openssl(
        "x509", "-req", "-in", "node.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
        "-out", "node.pem", "-days", "2", "-extfile", "names",
    )  # fmt: skip
