"""The same lists as JSON. Every list: {"items": [...], "next": offset or null}."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from console.query import LEVELS, Refusal, one_of, searched, whole
from console.status import PipelineStatus
from console.story import heir_alert, heir_rumor
from stores.base import AlertDocument, Level, RumorDocument, Status, Store

MOST = 500  # documents an answer
LAST_OFFSET = 1_000_000
LAST_TIME = 253_402_300_799_999  # ms, the end of the year 9999
WIDEST_SPAN = 7 * 86_400_000  # ms of trends an answer
STATUSES = ("new", "acknowledged", "assigned", "verifying", "answered", "dismissed", "closed")

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Api:
    """The JSON endpoints; blocking, run in threads."""

    store: Store
    status: Callable[[], PipelineStatus] | None

    def health(self, request: Request) -> Response:
        """Counts of the store and the pipeline's status; 503 when the store fails."""
        pipeline = asdict(self.status()) if self.status is not None else None
        return JSONResponse({"status": "ok", "store": self.store.counts(), "pipeline": pipeline})

    def status_now(self, request: Request) -> Response:
        return JSONResponse(asdict(self.status()) if self.status is not None else None)

    def alerts(self, request: Request) -> Response:
        limit, offset = _window(request)
        level: Level | None = one_of(request, "level", LEVELS)  # type: ignore[assignment]
        status: Status | None = one_of(request, "status", STATUSES)  # type: ignore[assignment]
        rumor_id = request.query_params.get("rumor_id") or None
        found = self.store.alerts(
            level=level, status=status, rumor_id=rumor_id, limit=limit + 1, offset=offset
        )
        return _items(found, limit, offset)

    def alert(self, request: Request) -> Response:
        """One alert; a merged id gives its heir, whose `alert_id` differs."""
        return _json(self._alert(request))

    def rumors(self, request: Request) -> Response:
        limit, offset = _window(request)
        open_only = one_of(request, "open", ("true", "false")) == "true"
        return _items(
            self.store.rumors(open_only=open_only, limit=limit + 1, offset=offset), limit, offset
        )

    def rumor(self, request: Request) -> Response:
        """One rumor; a merged id gives its heir."""
        return _json(self._rumor(request.path_params["rumor_id"]))

    def alert_posts(self, request: Request) -> Response:
        return self._posts(request, self._alert(request).rumor_id)

    def rumor_posts(self, request: Request) -> Response:
        return self._posts(request, request.path_params["rumor_id"])

    def trends(self, request: Request) -> Response:
        """Buckets with start <= bucket < end (ms)."""
        start = whole(request, "start", 0, 0, LAST_TIME)
        end = whole(request, "end", LAST_TIME, 0, LAST_TIME)
        if "start" not in request.query_params or end - start > WIDEST_SPAN:
            raise Refusal(400, "bad_request", "start, end (ms, end - start ≤ 604800000)")
        return _json({"items": self.store.trends(start, end), "next": None})

    def search(self, request: Request) -> Response:
        limit = whole(request, "limit", 50, 1, MOST)
        query = searched(request)
        if not query:
            raise Refusal(400, "bad_request", "q")
        return _json({"items": self.store.search(query, limit=limit), "next": None})

    def _alert(self, request: Request) -> AlertDocument:
        alert = heir_alert(self.store, request.path_params["alert_id"])
        if alert is None:
            raise Refusal(404, "no_alert")
        return alert

    def _rumor(self, rumor_id: str) -> RumorDocument:
        rumor = heir_rumor(self.store, rumor_id)
        if rumor is None:
            raise Refusal(404, "no_rumor")
        return rumor

    def _posts(self, request: Request, rumor_id: str) -> Response:
        limit, offset = _window(request)
        rumor = self._rumor(rumor_id)
        return _items(
            self.store.posts(rumor.rumor_id, limit=limit + 1, offset=offset), limit, offset
        )


def _window(request: Request) -> tuple[int, int]:
    return whole(request, "limit", 100, 1, MOST), whole(request, "offset", 0, 0, LAST_OFFSET)


def _items(found: Sequence[Any], limit: int, offset: int) -> Response:
    return _json({"items": found[:limit], "next": offset + limit if len(found) > limit else None})


def _json(content: Any) -> Response:
    return Response(_encode(content), media_type="application/json")
