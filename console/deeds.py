"""What an analyst does from the page of an alert, or of a rumor without one.

The console decides nothing: whoever serves it hands it an `ActionDesk`, which gives the action to the
road; the page then shows what the store says became of it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.pages import COOKIE_AGE, Pages
from console.query import Refusal
from console.triage import DEEDS, NAME_COOKIE, Deed

LONGEST_FORM = 64 << 10  # bytes; a correction of 4,000 characters is some 36 kB when encoded
WAIT_S = 4.0
"""Seconds that an answer waits for what becomes of an action; later the page says that it is on its way."""
POLL_S = 0.1

_BY_NAME = {deed.name: deed for deed in DEEDS}


class NotGiven(Exception):
    """The road cannot be reached; one line."""


class ActionDesk(Protocol):
    """Gives actions to the road."""

    def act(self, deed: str, alert: str, who: str, given: dict[str, Any]) -> str:
        """The action's id, once it is in the road's log or inbox. Raises NotGiven."""


@dataclass(frozen=True)
class DeedPage:
    pages: Pages
    desk: ActionDesk | None

    async def act(self, request: Request) -> Response:
        """A form of an alert's or a rumor's page; answers with the page that stands for it now, and what
        became of the action."""
        if self.desk is None:
            raise Refusal(404, "no_desk")
        if not _own(request):
            raise Refusal(403, "foreign")
        form = await _form(request)
        return await run_in_threadpool(self._do, request, form)

    def _do(self, request: Request, form: dict[str, list[str]]) -> Response:
        assert self.desk is not None
        alert, rumor = (request.path_params.get(name, "") for name in ("alert_id", "rumor_id"))
        deed = _BY_NAME.get(_one(form, "deed"))
        who = _one(form, "who")
        if deed is None:
            raise Refusal(400, "bad_request", "deed")
        if not who:
            raise Refusal(400, "no_name")
        try:
            action = self.desk.act(deed.name, alert or rumor, who, _given(deed, form))
        except NotGiven as error:
            raise Refusal(503, "not_given", str(error)) from error
        told = self._wait(action)
        alert = (told.alert_id if told else None) or alert
        at = f"alerts/{quote(alert, safe='')}" if alert else f"rumors/{quote(rumor, safe='')}"
        response = RedirectResponse(f"/{at}?{urlencode({'done': action})}", 303)
        response.set_cookie(
            NAME_COOKIE, quote(who), max_age=COOKIE_AGE, httponly=True, samesite="strict"
        )
        return response

    def _wait(self, action: str) -> Any:
        end = time.monotonic() + WAIT_S
        while (told := self.pages.store.action(action)) is None and time.monotonic() < end:
            time.sleep(POLL_S)
        return told


def _given(deed: Deed, form: dict[str, list[str]]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name in deed.fields:
        if name == "posts":
            given[name] = [value for value in form.get("post", []) if value]
        elif name == "links":
            given[name] = _one(form, name).split()
        elif value := _one(form, name):
            given[name] = value
    return given


def _one(form: dict[str, list[str]], name: str) -> str:
    return form.get(name, [""])[-1].strip()


async def _form(request: Request) -> dict[str, list[str]]:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LONGEST_FORM:
            raise Refusal(413, "too_long")
    try:
        return parse_qs(body.decode(), keep_blank_values=True, max_num_fields=1000)
    except ValueError as error:  # not UTF-8, or too many fields
        raise Refusal(400, "bad_request", "form") from error


def _own(request: Request) -> bool:
    """Whether the form is our own page's: another site's page must not act for the analyst.

    Every browser of today sends one of the two headers with a form.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin", "")
    return bool(origin) and urlsplit(origin).netloc == request.headers.get("host", "")
