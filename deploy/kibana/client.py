"""Kibana's saved objects and alerting APIs, as far as `tindon apply --kibana` needs them."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
import uuid
from base64 import b64encode
from typing import Any

from deploy.kibana import CONSOLE, OBJECTS, RULES

OLDEST = (8, 19)
TIMEOUT_S = 60.0  # an import of a dozen objects takes Kibana a few seconds
_FIXED = ("id", "rule_type_id", "consumer", "connector_type_id", "enabled")  # not part of an update


class KibanaError(Exception):
    """Kibana could not do what was asked; one line with the mend."""

    exit_code = 1


class Kibana:
    """One Kibana. `url` may hold the base path and a space: http://host:5601/s/newsroom."""

    def __init__(
        self,
        url: str,
        *,
        username: str = "",
        password: str = "",
        api_key: str = "",
        ca_file: str = "",
        verify: bool = True,
    ) -> None:
        self.url = url.rstrip("/")
        self._headers = {"kbn-xsrf": "tindon"}
        if api_key:
            self._headers["authorization"] = f"ApiKey {api_key}"
        elif username:
            secret = b64encode(f"{username}:{password}".encode()).decode()
            self._headers["authorization"] = f"Basic {secret}"
        self._tls: ssl.SSLContext | None = None
        if self.url.startswith("https:"):
            try:
                self._tls = ssl.create_default_context(cafile=ca_file or None)
            except OSError as error:
                raise KibanaError(
                    f"elasticsearch.ca_file {ca_file} holds no certificate: give a PEM file"
                ) from error
            if not verify:
                self._tls.check_hostname = False
                self._tls.verify_mode = ssl.CERT_NONE

    def version(self) -> str:
        """Kibana's version. Raises KibanaError for one that is too old for the objects."""
        _, answer = self._ask("GET", "/api/status")
        try:
            number = str(answer["version"]["number"])
            pair = tuple(int(part) for part in number.split(".")[:2])
        except (KeyError, TypeError, ValueError) as error:
            raise KibanaError(f"{self.url} is not Kibana: correct --kibana") from error
        if pair < OLDEST:
            raise KibanaError(
                f"{self.url} is Kibana {number}: the objects need 8.19 or later, upgrade it"
            )
        return number

    def import_objects(self, lines: bytes) -> int:
        """Import saved objects (NDJSON), over what stands there; returns how many."""
        boundary = uuid.uuid4().hex
        body = b"".join(
            [
                f"--{boundary}\r\n".encode(),
                b'Content-Disposition: form-data; name="file"; filename="tindon.ndjson"\r\n',
                b"Content-Type: application/ndjson\r\n\r\n",
                lines,
                f"\r\n--{boundary}--\r\n".encode(),
            ]
        )
        _, answer = self._ask(
            "POST",
            "/api/saved_objects/_import?overwrite=true",
            body,
            f"multipart/form-data; boundary={boundary}",
        )
        if not answer.get("success"):
            faults = answer.get("errors", [])
            first = faults[0] if faults else {}
            kind = first.get("error", {}).get("type", "no reason given")
            missing = first.get("error", {}).get("references", [])
            named = "".join(f", {one['type']} {one['id']}" for one in missing)
            raise KibanaError(
                f"{self.url} refused {len(faults)} objects, the first {first.get('type')}"
                f" {first.get('id')} ({kind}{named}): see Kibana's log"
            )
        return int(answer["successCount"])

    def put(self, path: str, wanted: dict[str, Any]) -> str:
        """Create a rule or connector, or bring it up to date; "created" or "updated"."""
        place = f"{path}/{wanted['id']}"
        status, _ = self._ask("GET", place, allow=(404,))
        if status == 404:
            body = {name: value for name, value in wanted.items() if name != "id"}
            self._ask("POST", place, json.dumps(body).encode())
            return "created"
        body = {name: value for name, value in wanted.items() if name not in _FIXED}
        self._ask("PUT", place, json.dumps(body).encode())
        return "updated"

    def _ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        content: str = "application/json",
        allow: tuple[int, ...] = (),
    ) -> tuple[int, Any]:
        request = urllib.request.Request(self.url + path, data=body, method=method)
        for name, value in self._headers.items():
            request.add_header(name, value)
        if body is not None:
            request.add_header("content-type", content)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S, context=self._tls) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                said = error.read().decode("utf-8", "replace")
            if error.code in allow:
                return error.code, None
            raise self._refusal(error.code, method, path, said) from error
        except ValueError as error:
            raise KibanaError(f"{self.url} gave no JSON answer: correct --kibana") from error
        except (urllib.error.URLError, OSError) as error:
            cause = getattr(error, "reason", error)
            if isinstance(cause, ssl.SSLError):
                raise KibanaError(
                    f"{self.url}: the TLS connection failed ({cause}): give as"
                    " elasticsearch.ca_file the authority that signed Kibana's certificate"
                ) from error
            raise KibanaError(
                f"{self.url} cannot be reached ({cause}): start Kibana, or correct --kibana"
            ) from error

    def _refusal(self, status: int, method: str, path: str, said: str) -> KibanaError:
        try:
            reason = str(json.loads(said)["message"])
        except (ValueError, KeyError, TypeError):
            reason = said
        reason = " ".join(reason.split())[:300]
        if status == 401:
            mend = "correct elasticsearch.username and elasticsearch.password, or the API key"
        elif status == 403:
            mend = "give the user Kibana's rights over saved objects and stack rules"
        elif status == 503:
            mend = "Kibana is starting or cannot reach Elasticsearch; wait for it"
        elif "ncrypt" in reason:
            mend = "set xpack.encryptedSavedObjects.encryptionKey in kibana.yml"
        elif status == 404:
            mend = "correct --kibana (base path and space too)"
        else:
            mend = "see Kibana's log"
        return KibanaError(f"{self.url} answered {method} {path} with {status} ({reason}): {mend}")


def objects(console: str, prefix: str) -> bytes:
    """The saved objects, with links to the console at an address and our indices' prefix."""
    text = OBJECTS.read_text(encoding="utf-8").replace(CONSOLE, console.rstrip("/"))
    lines = []
    for line in text.splitlines():
        one = json.loads(line)
        if one["type"] == "index-pattern":
            one["attributes"]["title"] = _prefixed(one["attributes"]["title"], prefix)
        lines.append(json.dumps(one, ensure_ascii=False))
    return ("\n".join(lines) + "\n").encode()


def rules(prefix: str) -> dict[str, list[dict[str, Any]]]:
    """Connectors and rules, for indices of that prefix."""
    wanted: dict[str, list[dict[str, Any]]] = json.loads(RULES.read_text(encoding="utf-8"))
    for rule in wanted["rules"]:
        rule["params"]["index"] = [_prefixed(name, prefix) for name in rule["params"]["index"]]
    for connector in wanted["connectors"]:
        if "index" in connector["config"]:
            connector["config"]["index"] = _prefixed(connector["config"]["index"], prefix)
    return wanted


def _prefixed(name: str, prefix: str) -> str:
    return f"{prefix}{name.removeprefix('tindon-')}"
