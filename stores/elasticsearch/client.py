"""The connection to Elasticsearch: one client for 8.19 and 9.x, every error one line with its mend.

The client retries nothing by itself: `stores.elasticsearch.bulk` does, by item and with a deadline,
and a question that fails is for the asker to ask again.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import elastic_transport
import elasticsearch
import msgspec

from stores.base import StoreError, StoreUnavailable

OLDEST_MAJOR = 8
AWAY = frozenset({429, 502, 503, 504})  # statuses that pass by themselves


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """Where Elasticsearch is and how to enter."""

    url: str  # one address, or several separated by commas
    username: str = ""
    password: str = ""
    api_key: str = ""
    ca_file: str = ""  # PEM; empty: the system's authorities
    verify: bool = True
    timeout_s: float = 30.0  # for one answer

    def __repr__(self) -> str:  # never shows a secret
        return f"Access(url={self.url!r})"


class Connection:
    """Sends requests and turns whatever goes wrong into StoreError or StoreUnavailable."""

    def __init__(self, access: Access) -> None:
        self.url = access.url
        self._timeout_s = access.timeout_s
        self._client = _client(access)

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        most_s: float | None = None,
        allow: Sequence[int] = (),
        **parameters: str | int,
    ) -> tuple[int, Any]:
        """Status and JSON body of an answer; an error status outside `allow` raises.

        `most_s`: seconds to wait, where that is less than the usual timeout.
        """
        client = self._client
        timeout_s = min(self._timeout_s, most_s or self._timeout_s)
        options: dict[str, Any] = {"ignore_status": tuple(allow), "request_timeout": timeout_s}
        headers = {"accept": "application/json"}
        if body is not None:
            lines = isinstance(body, bytes) and path.endswith("/_bulk")
            headers["content-type"] = f"application/{'x-ndjson' if lines else 'json'}"
        with self.errors():
            answer = client.options(**options).perform_request(
                method, path, params=parameters or None, headers=headers, body=body
            )
            return answer.meta.status, answer.body

    def version(self) -> str:
        """The server's version. Raises StoreError for one that is too old."""
        # The nodes API and not `GET /`: the latter is missing in small distributions.
        _, nodes = self.request("GET", "/_nodes/_local/_none", filter_path="nodes.*.version")
        versions = [node["version"] for node in nodes.get("nodes", {}).values()]
        if not versions:
            raise StoreError(
                f"{self.url} did not tell its version: check that it is Elasticsearch."
            )
        if int(versions[0].split(".")[0]) < OLDEST_MAJOR:
            raise StoreError(_too_old(self.url, versions[0]))
        return str(versions[0])

    def count(self, name: str, query: dict[str, Any]) -> int:
        """Documents that a query finds. Raises StoreUnavailable rather than leave a shard out."""
        _, answer = self.request(
            "POST",
            f"/{name}/_search",
            body={"query": query, "size": 0, "track_total_hits": True},
            ignore_unavailable="true",
            allow_partial_search_results="false",
            filter_path="hits.total.value",
        )
        return int(answer["hits"]["total"]["value"])

    def close(self) -> None:
        self._client.close()

    @contextmanager
    def errors(self) -> Iterator[None]:
        try:
            yield
        except elastic_transport.TlsError as error:
            if "WRONG_VERSION_NUMBER" in str(error.message):
                raise StoreError(
                    f"{self.url} speaks no TLS: write elasticsearch.url with http, or correct its port."
                ) from error
            raise StoreError(
                f"{self.url}: the TLS connection failed ({_cause(error)}): give as"
                " elasticsearch.ca_file the authority that signed the server's certificate."
            ) from error
        except elastic_transport.ConnectionTimeout as error:
            raise StoreUnavailable(
                f"{self.url} did not answer in time: wait for it, or raise elasticsearch.timeout_s."
            ) from error
        except elastic_transport.ConnectionError as error:
            raise StoreUnavailable(
                f"{self.url} cannot be reached ({_cause(error)}): start Elasticsearch (`tindon up`)"
                " or correct elasticsearch.url (http or https, host, port)."
            ) from error
        except elasticsearch.UnsupportedProductError as error:
            raise StoreError(
                f"{self.url} is not Elasticsearch 8 or newer: correct elasticsearch.url."
            ) from error
        except elasticsearch.ApiError as error:
            raise self._refusal(error) from error
        except (elastic_transport.TransportError, elasticsearch.SerializationError) as error:
            raise StoreError(
                f"{self.url} gave no JSON answer: check that elasticsearch.url is Elasticsearch."
            ) from error

    def _refusal(self, error: elasticsearch.ApiError) -> StoreError:
        status, reason = error.meta.status, reason_of(error.body)
        if status == 401:
            return StoreError(
                f"{self.url} does not accept the log-in: correct elasticsearch.username and"
                " elasticsearch.password, or elasticsearch.api_key."
            )
        if status == 403:
            return StoreError(
                f"{self.url} forbids it ({reason}): give the user the role of a writer."
            )
        if status in (400, 406) and "ersion" in reason and "compatible" in reason.lower():
            return StoreError(_too_old(self.url, "7 or older"))
        if status in (400, 406) and ("media" in reason.lower() or "Accept version" in reason):
            return StoreError(_too_old(self.url, "7 or older"))
        if status in AWAY:
            return StoreUnavailable(
                f"{self.url} is overloaded or starting ({reason}): wait for it."
            )
        return StoreError(f"{self.url} refused a request with {status}: {reason}.")


def reason_of(body: object) -> str:
    """The reason in an error's body, as one line of at most 300 characters."""
    error: object = body.get("error", body) if isinstance(body, Mapping) else body
    words = []
    while isinstance(error, Mapping):
        words.append(f"{error.get('type', '')}: {error.get('reason', '')}")
        error = error.get("caused_by")
    text = "; ".join(words) if words else str(error)
    return " ".join(text.split())[:300]


def _client(access: Access) -> elasticsearch.Elasticsearch:
    urls = [part.strip() for part in access.url.split(",") if part.strip()]
    options: dict[str, Any] = {
        "request_timeout": access.timeout_s,
        "max_retries": 0,
        "retry_on_timeout": False,
        "http_compress": False,
    }
    if access.api_key:
        options["api_key"] = access.api_key
    elif access.username:
        options["basic_auth"] = (access.username, access.password)
    if any(url.startswith("https:") for url in urls):
        if access.verify:
            options["ssl_context"] = _authorities(access.ca_file)
        else:
            options.update(verify_certs=False, ssl_show_warn=False)
    try:
        return elasticsearch.Elasticsearch(urls, **options)
    except (ValueError, TypeError) as error:
        raise StoreError(
            f"elasticsearch.url {access.url!r} is no address: write it as http://host:9200."
        ) from error


def _authorities(ca_file: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except OSError as error:  # a file without a certificate too: SSLError is one
        raise StoreError(
            f"elasticsearch.ca_file {ca_file} holds no certificate: give a PEM file."
        ) from error


def _too_old(url: str, version: str) -> str:
    return f"{url} is Elasticsearch {version}: version 8.19 or 9 is needed, upgrade the server."


def _cause(error: elastic_transport.TransportError) -> str:
    return " ".join(str(error.message).split())[:200]
