"""The writing loop: bulk requests, each item's own outcome, retry of what can still succeed.

The client's own helpers retry whole requests or give an item's 429 up; here every item is retried
until it is stored, found older, refused for good, or the deadline has passed. The order of retries
does not matter: each item carries its external version, and Elasticsearch keeps the newest.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from stores.base import StoreError, StoreUnavailable
from stores.elasticsearch.client import AWAY, Connection, reason_of
from stores.elasticsearch.names import Document, place
from stores.elasticsearch.shapes import ShapeError, shape
from streams.documents import AuditDocument

MAX_ITEMS = 1_000  # in one request
MAX_BYTES = 5 * 1024 * 1024  # of one request; Elastic advises 5 to 15 MB
FIRST_WAIT_S = 0.1
LONGEST_WAIT_S = 5.0

_PATH = "/_bulk"
# What an answer tells of each item, and no more: half of the answer's bytes.
_ANSWER = "items.*.status,items.*.error"
# Errors that pass by themselves whatever their status: a new index waits for a busy master.
_PASSING = frozenset({"process_cluster_event_timeout_exception", "unavailable_shards_exception"})

_encode = msgspec.json.Encoder().encode


class Rejected(NamedTuple):
    """A document that Elasticsearch will never take as it is: a case for the dead letters."""

    document: Document
    reason: str


class Delivery(NamedTuple):
    """What became of a batch; every document is in exactly one count."""

    stored: int
    older: int  # something newer stood there
    rejected: list[Rejected]
    retries: int  # items that were sent again


class Patience:
    """How long to go on: exponential waits between attempts, until a deadline."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds to the deadline, at least 1: a last request gets the time to be answered."""
        return max(self._end - time.monotonic(), 1.0)

    def wait(self, attempt: int, cause: str) -> None:
        """Sleep before attempt + 1. Raises StoreUnavailable when that would pass the deadline."""
        longest = min(FIRST_WAIT_S * 2 ** min(attempt, 16), LONGEST_WAIT_S)
        wait = random.uniform(longest / 2, longest)  # spread, so that workers do not come at once
        if time.monotonic() + wait >= self._end:
            raise StoreUnavailable(cause)
        time.sleep(wait)

    def call(self, question: Callable[[], None]) -> None:
        """Ask until it is answered."""
        attempt = 0
        while True:
            try:
                return question()
            except StoreUnavailable as error:
                self.wait(attempt, str(error))
                attempt += 1


class Item(NamedTuple):
    document: Document
    lines: bytes  # action and document, each with its newline


class Bulk:
    """Writes documents; thread-safe."""

    def __init__(
        self,
        connection: Connection,
        prefix: str,
        into: str = "",
    ) -> None:
        """`into`: one index for all documents, instead of each one's own."""
        self._connection = connection
        self._prefix = prefix
        self._into = into

    def deliver(self, documents: Iterable[Document], patience: Patience) -> Delivery:
        """Write until all is decided.

        Raises StoreUnavailable when the patience ends: nothing is lost, some documents are written,
        the same call may be made again. Raises StoreError for what only people can mend.
        """
        tally = _Tally()
        for items in _requests(self._items(documents, tally)):
            attempt = 0
            waiting, cause = self._send(items, patience, tally)
            while waiting:
                patience.wait(attempt, cause)
                attempt += 1
                tally.retries += len(waiting)
                waiting, cause = self._send(waiting, patience, tally)
        return Delivery(tally.stored, tally.older, tally.rejected, tally.retries)

    def _items(self, documents: Iterable[Document], tally: _Tally) -> Iterator[Item]:
        for document in documents:
            try:
                kept = _encode(shape(document))
                index, name = place(self._prefix, document)
            except (ShapeError, UnicodeEncodeError, msgspec.MsgspecError) as error:
                tally.rejected.append(Rejected(document, f"not writable: {error}"))
                continue
            action: dict[str, Any] = {"_index": self._into or index, "_id": name}
            if isinstance(document, AuditDocument):  # append only: what stands there stays
                line = {"create": action}
            else:
                versioned = {"version": document.version, "version_type": "external_gte"}
                line = {"index": action | versioned}
            yield Item(document, _encode(line) + b"\n" + kept + b"\n")

    def _send(
        self, items: Sequence[Item], patience: Patience, tally: _Tally
    ) -> tuple[Sequence[Item], str]:
        """One request; returns the items that are to be sent again, and why."""
        body = b"".join(item.lines for item in items)
        try:
            status, answer = self._connection.request(
                "POST", _PATH, body=body, most_s=patience.left, allow=(413,), filter_path=_ANSWER
            )
        except StoreUnavailable as error:
            return items, str(error)
        if status == 413:  # larger than the server's http.max_content_length
            return self._halve(items, patience, tally)
        waiting: list[Item] = []
        cause = ""
        for item, outcome in zip(items, answer["items"], strict=True):
            (result,) = outcome.values()
            if result["status"] < 300:
                tally.stored += 1
            elif result["status"] == 409:
                tally.older += 1
            else:
                again = self._refused(item, result, tally)
                if again:
                    waiting.append(item)
                    cause = again
        return waiting, cause

    def _halve(
        self, items: Sequence[Item], patience: Patience, tally: _Tally
    ) -> tuple[Sequence[Item], str]:
        if len(items) == 1:
            size = len(items[0].lines)
            reason = f"{size} bytes are more than the server takes (http.max_content_length)"
            tally.rejected.append(Rejected(items[0].document, reason))
            return [], ""
        half = len(items) // 2
        first, cause = self._send(items[:half], patience, tally)
        second, other = self._send(items[half:], patience, tally)
        return [*first, *second], cause or other

    def _refused(self, item: Item, result: dict[str, Any], tally: _Tally) -> str:
        """Why the item is to be sent again; empty when it was rejected for good."""
        status, error = result["status"], result.get("error", {})
        kind, reason = error.get("type", ""), reason_of({"error": error})
        url = self._connection.url
        if kind == "cluster_block_exception" and status != 429:
            raise StoreUnavailable(
                f"{url}: the index takes no writes ({reason}): wait for `tindon apply` if it copies"
                " the index (run it again if it was cut short), else free disk space on the server"
                " or remove the block from the index."
            )
        if status in AWAY or kind in _PASSING:
            return f"{url} takes no more writes now ({reason}): wait for it."
        if kind == "validation_exception":
            raise StoreError(
                f"{url} opens no further index ({reason}): keep documents for fewer days, or raise"
                " cluster.max_shards_per_node."
            )
        if status == 404:
            raise StoreError(f"{url} made no index ({reason}): allow action.auto_create_index.")
        if status in (401, 403):
            raise StoreError(
                f"{url} forbids writing ({reason}): give the user the role of a writer."
            )
        if status >= 500:
            return f"{url} failed to write ({reason}): see the server's log."
        tally.rejected.append(Rejected(item.document, reason))
        return ""


class _Tally:
    """What became of the documents so far."""

    def __init__(self) -> None:
        self.stored = 0
        self.older = 0
        self.retries = 0
        self.rejected: list[Rejected] = []


def _requests(items: Iterable[Item]) -> Iterator[list[Item]]:
    request: list[Item] = []
    size = 0
    for item in items:
        if request and (len(request) == MAX_ITEMS or size + len(item.lines) > MAX_BYTES):
            yield request
            request, size = [], 0
        request.append(item)
        size += len(item.lines)
    if request:
        yield request
