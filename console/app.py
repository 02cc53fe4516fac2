"""The console as a Starlette application."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import cast

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from console.api import Api
from console.deeds import ActionDesk, DeedPage
from console.guard import LOOPBACK_NAMES, SECURITY_HEADERS, Guard
from console.language import LANGUAGES
from console.pages import STATIC, Pages, environment
from console.query import Refusal
from console.status import PipelineStatus
from console.tune import TrialDesk, TunePage
from console.values import name_categories
from stores.base import Store, StoreError

log = logging.getLogger(__name__)

STATIC_AGE = 31_536_000  # s; a static file's address changes with its content


def create_app(
    store: Store,
    *,
    status: Callable[[], PipelineStatus] | None = None,
    banner: str | Mapping[str, str] | None = None,
    language: str = "vi",
    tune: TrialDesk | None = None,
    desk: ActionDesk | None = None,
    categories: Mapping[str, tuple[str, str]] | None = None,
) -> Starlette:
    """The console over `store`; `status` is asked on every page and must be quick and thread-safe.

    `banner` stands on top of every page (the demo's says that the posts are invented), as text or
    as texts by language; `language` is the one for readers who chose none. ValueError for one
    that is not spoken here. `tune` does the work of the page /tune; without it that page says
    how to get it. `desk` gives analysts' actions to the road; without it an alert's page shows the commands.
    `categories` names the taxonomy's, (Vietnamese, English) by id.
    """
    name_categories(categories or {})
    if language not in LANGUAGES:
        raise ValueError(f"no such language: {language!r}; choose one of {', '.join(LANGUAGES)}")
    banners = banner if isinstance(banner, Mapping) else dict.fromkeys(LANGUAGES, banner)
    pages = Pages(store, status, banners, language, environment(), acts=desk is not None)
    api = Api(store, status)
    trying = TunePage(pages, tune)
    doing = DeedPage(pages, desk)

    def refuse(request: Request, status: int, key: str, n: str | None = None) -> Response:
        if request.url.path.startswith(("/api/", "/live/", "/health")):
            words = pages.words(request, strict=False)
            return JSONResponse({"error": words.word(key, n)}, status)
        return pages.refusal(request, status, key, n)

    def on_refusal(request: Request, error: Exception) -> Response:
        refusal = cast(Refusal, error)
        return refuse(request, refusal.status, refusal.key, refusal.n)

    def on_http_error(request: Request, error: Exception) -> Response:
        status = cast(HTTPException, error).status_code
        key = {404: "not_found", 405: "method"}.get(status, "bad_request")
        return refuse(request, status, key, request.url.path if key == "bad_request" else None)

    def on_store_error(request: Request, error: Exception) -> Response:
        log.error("the console's store failed: %s", error)
        return refuse(request, 503, "store_down", str(error).splitlines()[0] if str(error) else "")

    def on_failure(request: Request, error: Exception) -> Response:
        response = refuse(request, 500, "internal")
        response.headers.update(SECURITY_HEADERS)  # it leaves outside of the guard
        return response

    app = Starlette(
        routes=[
            Route("/", pages.overview),
            Route("/alerts/{alert_id}", pages.alert),
            Route("/alerts/{alert_id}/act", doing.act, methods=["POST"]),
            Route("/rumors/{rumor_id}", pages.rumor),
            Route("/rumors/{rumor_id}/act", doing.act, methods=["POST"]),
            Route("/search", pages.search),
            Route("/tune", trying.page),
            Route("/live/tune", trying.live),
            Route("/live/overview", pages.live_overview),
            Route("/live/alerts/{alert_id}", pages.live_alert),
            Route("/live/rumors/{rumor_id}", pages.live_rumor),
            Route("/health", api.health),
            Route("/api/status", api.status_now),
            Route("/api/alerts", api.alerts),
            Route("/api/alerts/{alert_id}", api.alert),
            Route("/api/alerts/{alert_id}/posts", api.alert_posts),
            Route("/api/rumors", api.rumors),
            Route("/api/rumors/{rumor_id}", api.rumor),
            Route("/api/rumors/{rumor_id}/posts", api.rumor_posts),
            Route("/api/trends", api.trends),
            Route("/api/search", api.search),
            Mount("/static", _Static(directory=STATIC)),
        ],
        middleware=[Middleware(Guard)],
        exception_handlers={
            Refusal: on_refusal,
            HTTPException: on_http_error,
            StoreError: on_store_error,
            Exception: on_failure,
        },
    )
    app.state.hosts = LOOPBACK_NAMES
    return app


class _Static(StaticFiles):
    """Static files that a browser keeps."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if response.status_code == 200:
            response.headers["cache-control"] = f"public, max-age={STATIC_AGE}, immutable"
        return response
