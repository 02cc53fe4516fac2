"""The pages, and their parts as JSON for the script that keeps them live."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from console.language import LANGUAGES, Language, iso
from console.nearest import nearest
from console.overview import overview, stream_time
from console.query import (
    HOURS,
    LAST_PAGE,
    LEVELS,
    LONGEST_QUERY,
    Refusal,
    one_of,
    overview_filter,
    searched,
    whole,
)
from console.status import PipelineStatus
from console.story import Story, alert_story, heir_alert, heir_rumor, post_row, rumor_story
from console.triage import VERDICTS, Acting, on_alert, on_rumor
from stores.base import AlertDocument, RumorDocument, Store

HERE = Path(__file__).parent
STATIC = HERE / "static"
FOUND = 50  # posts shown for a search ...
SHOWN_FOUND = 5  # ... of one rumor before the rest is folded away
COOKIE = "tindon_language"
COOKIE_AGE = 365 * 86_400  # s

OVERVIEW_PARTS = ("counters", "alerts", "rising", "chart")
STORY_PARTS = ("summary", "triage", "signals", "exemplars", "timeline", "spread", "joins", "facts")


def environment() -> jinja2.Environment:
    """Templates with escaping on, and addresses of static files that change with their content."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    stamps = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:12]
        for path in sorted(STATIC.iterdir())
    }
    made.globals["asset"] = lambda name: f"/static/{name}?v={stamps[name]}"
    made.globals.update(
        iso=iso,
        HOURS=HOURS,
        LEVELS=LEVELS,
        LONGEST_QUERY=LONGEST_QUERY,
        SHOWN_FOUND=SHOWN_FOUND,
        VERDICTS=VERDICTS,
    )
    return made


@dataclass(frozen=True)
class Pages:
    """The endpoints. They block on the store and so are plain functions, run in threads."""

    store: Store
    status: Callable[[], PipelineStatus] | None
    banners: Mapping[str, str | None]  # by language
    language: str
    templates: jinja2.Environment
    acts: bool = False  # whether deeds can be done here

    def overview(self, request: Request) -> Response:
        asked = overview_filter(request)
        words = self.words(request)
        view = overview(self.store, self._status(), asked, words)
        return self._page(request, "overview.html", words, view=view, asked=asked, now=view.now)

    def live_overview(self, request: Request) -> Response:
        asked = overview_filter(request)
        words = self.words(request)
        view = overview(self.store, self._status(), asked, words)
        context = self._context(request, words, path="/", view=view, asked=asked, now=view.now)
        return self._parts(request, OVERVIEW_PARTS, context, view.alert_keys)

    def alert(self, request: Request) -> Response:
        asked = request.path_params["alert_id"]
        alert = self._alert(asked)
        if alert.alert_id != asked:
            return _to_heir("alerts", alert.alert_id, asked)
        words = self.words(request)
        forms = on_alert(request, self.store, alert, words) if self.acts else None
        return self._story_page(
            request,
            alert.rumor_id,
            lambda words, page: self._alert_story(alert, words, page),
            forms,
        )

    def live_alert(self, request: Request) -> Response:
        alert = self._alert(request.path_params["alert_id"])
        words = self.words(request)
        return self._story_parts(request, self._alert_story(alert, words, 1), words)

    def rumor(self, request: Request) -> Response:
        asked = request.path_params["rumor_id"]
        rumor = self._rumor(asked)
        if rumor.rumor_id != asked:
            return _to_heir("rumors", rumor.rumor_id, asked)
        words = self.words(request)
        forms = on_rumor(request, self.store, rumor, words) if self.acts else None
        return self._story_page(
            request,
            rumor.rumor_id,
            lambda words, page: self._rumor_story(rumor, words, page),
            forms,
        )

    def live_rumor(self, request: Request) -> Response:
        rumor = self._rumor(request.path_params["rumor_id"])
        words = self.words(request)
        return self._story_parts(request, self._rumor_story(rumor, words, 1), words)

    def search(self, request: Request) -> Response:
        words = self.words(request)
        query = searched(request)
        posts = self.store.search(query, limit=FOUND + 1) if query else []
        groups: dict[str, list[Any]] = {}
        for post in posts[:FOUND]:
            groups.setdefault(post.rumor_id, []).append(post_row(post, words, query))
        found = [(heir_rumor(self.store, rumor_id), rows) for rumor_id, rows in groups.items()]
        now = stream_time(self._status(), [rumor for rumor, _ in found if rumor is not None])
        return self._page(
            request,
            "search.html",
            words,
            query=query,
            found=found,
            total=min(len(posts), FOUND),
            cut=FOUND if len(posts) > FOUND else 0,
            now=now,
        )

    def refusal(self, request: Request, status: int, key: str, n: str | None = None) -> Response:
        """The error page: one line and the way back."""
        words = self.words(request, strict=False)
        context = self._context(request, words, message=words.word(key, n), status=status, now=None)
        return HTMLResponse(self.templates.get_template("error.html").render(context), status)

    def words(self, request: Request, strict: bool = True) -> Language:
        """The reader's language: the address, else the cookie, else the console's default."""
        try:
            asked = one_of(request, "lang", LANGUAGES)
        except Refusal:
            if strict:
                raise
            asked = None
        kept = request.cookies.get(COOKIE)
        return Language(asked or (kept if kept in LANGUAGES else None) or self.language)

    def _status(self) -> PipelineStatus | None:
        return self.status() if self.status is not None else None

    def _alert(self, alert_id: str) -> AlertDocument:
        alert = heir_alert(self.store, alert_id)
        if alert is None:
            raise Refusal(404, "no_alert")
        return alert

    def _rumor(self, rumor_id: str) -> RumorDocument:
        rumor = heir_rumor(self.store, rumor_id)
        if rumor is None:
            raise Refusal(404, "no_rumor")
        return rumor

    def _alert_story(self, alert: AlertDocument, words: Language, page: int) -> Story:
        now = stream_time(self._status(), [alert]) or alert.updated_at
        return alert_story(self.store, alert, page, now, words)

    def _rumor_story(self, rumor: RumorDocument, words: Language, page: int) -> Story:
        now = stream_time(self._status(), [rumor]) or rumor.updated_at
        return rumor_story(self.store, rumor, page, now, words)

    def _story_page(
        self,
        request: Request,
        rumor_id: str,
        tell: Callable[[Language, int], Story],
        forms: Acting | None = None,
    ) -> Response:
        words = self.words(request)
        page = whole(request, "page", 1, 1, LAST_PAGE)
        story = replace(tell(words, page), heir_of=self._merged(request))
        near = nearest(self.store, rumor_id, words)  # once: a live page does not ask again
        return self._page(
            request, "story.html", words, story=story, near=near, now=story.now, forms=forms
        )

    def _story_parts(self, request: Request, story: Story, words: Language) -> Response:
        path = f"/{story.kind}s/{quote(story.key, safe='')}"
        context = self._context(request, words, path=path, story=story, now=story.now)
        return self._parts(request, STORY_PARTS, context, [])

    def _merged(self, request: Request) -> str:
        """The id that was redirected here, if it is one: the address alone proves nothing."""
        asked = request.query_params.get("merged", "")
        if not asked:
            return ""
        if request.url.path.startswith("/alerts/"):
            alert = self.store.alert(asked)
            return asked if alert is not None and alert.merged_into else ""
        rumor = self.store.rumor(asked)
        return asked if rumor is not None and rumor.merged_into else ""

    def _context(
        self, request: Request, words: Language, path: str | None = None, **more: Any
    ) -> dict[str, Any]:
        here = request.url.path if path is None else path
        kept = [(k, v) for k, v in request.query_params.items() if k not in ("lang", "have")]

        def address(**changes: object) -> str:
            """This page with some parameters changed; None takes one out."""
            pairs = [(k, v) for k, v in kept if k not in changes]
            pairs += [(k, str(v)) for k, v in changes.items() if v is not None]
            return f"{here}?{urlencode(pairs)}" if pairs else here

        other = LANGUAGES[1 - LANGUAGES.index(words.code)]
        return {
            "words": words,
            "w": words.word,
            "banner": self.banners.get(words.code),
            "address": address,
            "other_language": other,
            "query": "",
            "live": "",
            **more,
        }

    def _page(self, request: Request, template: str, words: Language, **more: Any) -> Response:
        context = self._context(request, words, **more)
        response = HTMLResponse(self.templates.get_template(template).render(context))
        if request.query_params.get("lang") in LANGUAGES:
            response.set_cookie(
                COOKIE, words.code, max_age=COOKIE_AGE, httponly=True, samesite="lax"
            )
        return response

    def _parts(
        self, request: Request, names: tuple[str, ...], context: dict[str, Any], keys: list[str]
    ) -> Response:
        """The parts rendered anew; 204 when the asker already has them."""
        parts = {
            name: self.templates.get_template(f"part_{name}.html").render(context) for name in names
        }
        stamp = hashlib.sha256("\0".join(parts.values()).encode()).hexdigest()[:16]
        if request.query_params.get("have") == stamp:
            return Response(status_code=204)
        return JSONResponse({"stamp": stamp, "parts": parts, "alerts": keys})


def _to_heir(kind: str, heir: str, merged: str) -> Response:
    """A merged id answers with its heir; the page says so."""
    return RedirectResponse(f"/{kind}/{quote(heir, safe='')}?{urlencode({'merged': merged})}", 307)
