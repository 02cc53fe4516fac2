"""The page on which thresholds are tried: what would appear or vanish, before anything is applied.

The console folds nothing: whoever serves it hands it a `TrialDesk`, which works in a process of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal, NamedTuple, Protocol

from starlette.requests import Request
from starlette.responses import Response

from console.pages import Pages
from console.query import Refusal

SHOWN = 30
"""Alerts of a kind on the page; the number beside the title counts all."""

FATES = ("appears", "vanishes", "earlier", "later", "raised", "lowered")
ROWS = ("rumors", "suggest", "confirm", "per_day", "posts_median")
QUALITY = ("rumor_f1", "event_f1", "precision", "recall")
"""Told of labelled posts."""

Values = dict[str, float]


class Dial(NamedTuple):
    """A setting that may be moved, its value in force, and between what."""

    name: str
    value: float
    low: float
    high: float
    step: float  # 0: any


class Trial(NamedTuple):
    """Where a trial stands. `told`: what `tindon shadow --format json` says, when it is done."""

    state: Literal["none", "working", "busy", "done", "failed"]
    told: dict[str, Any] | None = None
    error: str = ""


class TrialDesk(Protocol):
    """Compares settings over stretches of posts, one comparison at a time."""

    def stretches(self) -> list[str]:
        """Names of the stretches that can be chosen."""

    def dials(self) -> list[Dial]:
        """Settings that may be moved."""

    def ask(self, stretch: str, values: Values, *, start: bool) -> Trial:
        """How this comparison stands; with `start`, it is begun when it was not yet. Never waits."""


@dataclass(frozen=True)
class TunePage:
    pages: Pages
    desk: TrialDesk | None

    def page(self, request: Request) -> Response:
        words = self.pages.words(request)
        asked = self._asked(request)
        trial = self._trial(asked, start=_from_here(request))
        return self.pages._page(
            request,
            "tune.html",
            words,
            now=None,
            stretches=self.desk.stretches() if self.desk else [],
            dials=self.desk.dials() if self.desk else [],
            asked=asked,
            trial=trial,
            # the script adds the page's own parameters
            tune_live="/live/tune" if trial.state in ("working", "busy") else "",
            fates=FATES,
            rows=ROWS,
            quality=QUALITY,
            shown=SHOWN,
        )

    def live(self, request: Request) -> Response:
        words = self.pages.words(request)
        asked = self._asked(request)
        trial = self._trial(asked, start=_from_here(request))
        context = self.pages._context(
            request, words, path="/tune", now=None, asked=asked, trial=trial, fates=FATES, rows=ROWS,
            quality=QUALITY, shown=SHOWN,
        )  # fmt: skip
        return self.pages._parts(request, ("tune",), context, [])

    def _trial(self, asked: tuple[str, Values] | None, *, start: bool) -> Trial:
        if self.desk is None or asked is None:
            return Trial("none")
        return self.desk.ask(*asked, start=start)

    def _asked(self, request: Request) -> tuple[str, Values] | None:
        """The stretch and the values that differ from those in force. Refusal names the parameter."""
        stretch = request.query_params.get("stretch", "")
        if self.desk is None or not stretch:
            return None
        if stretch not in self.desk.stretches():
            raise Refusal(404, "no_stretch")
        values: Values = {}
        for dial in self.desk.dials():
            given = request.query_params.get(dial.name, "")
            if not given:
                continue
            try:
                value = float(given)
            except ValueError:
                value = float("nan")
            if not isfinite(value) or not dial.low <= value <= dial.high:
                raise Refusal(400, "bad_request", f"{dial.name} ({dial.low:g}–{dial.high:g})")
            if value != dial.value:
                values[dial.name] = value
        return stretch, values


def _from_here(request: Request) -> bool:
    """Whether the reader asked: another site's page may link here, and must not start any work."""
    return request.headers.get("sec-fetch-site", "none") in ("none", "same-origin")
