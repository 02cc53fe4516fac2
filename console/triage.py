"""What the desk made of an alert: verdict, correction, known claim, history, merges and splits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import unquote

from starlette.requests import Request

from console.language import Language
from console.links import Link, outside_link
from stores.base import AlertDocument, ClaimMatch, RumorDocument, Split, Step, Store

NAME_COOKIE = "tindon_analyst"
VERDICTS = ("fake", "not-the-truth", "authenticated", "unverifiable")


_OPEN = ("new", "acknowledged", "assigned", "verifying")
_LIVING = (*_OPEN, "answered", "dismissed")


class Deed(NamedTuple):
    """A deed, the statuses from which it may be done, and what is asked for."""

    name: str
    statuses: tuple[str, ...]
    fields: tuple[str, ...] = ("why",)


RAISE = Deed("raise", ())
"""For a rumor without an alert, from its own page."""

DEEDS = (
    Deed("acknowledge", ("new",)),
    Deed("assign", _OPEN, ("assignee", "why")),
    Deed("verify", ("new", "acknowledged", "assigned")),
    Deed("verdict", (*_OPEN, "answered"), ("verdict", "links", "correction", "correction_link", "why")),
    Deed("note", (*_LIVING, "closed"), ("why",)),
    Deed("dismiss", _OPEN),
    Deed("merge", _LIVING, ("other", "why")),
    Deed("split", _LIVING, ("posts", "why")),
    Deed("close", ("answered", "dismissed")),
    Deed("reopen", ("answered", "dismissed", "closed")),
    Deed("mute", _LIVING),
    Deed("unmute", _LIVING),
    RAISE,
)  # fmt: skip


def possible(status: str, muted: bool) -> list[Deed]:
    """What may be done to an alert as it stands."""
    hidden = "mute" if muted else "unmute"
    return [deed for deed in DEEDS if status in deed.statuses and deed.name != hidden]


@dataclass(frozen=True)
class StepRow:
    deed: str
    who: str  # "": the road itself
    at: int
    why: str
    status: str


@dataclass(frozen=True)
class MatchRow:
    claim_id: str
    certain: bool
    likeness: str
    text: str
    verdict: str
    source: str
    published: str
    correction: str
    link: Link | None


@dataclass(frozen=True)
class TriageView:
    verdict: str
    decided_by: str
    decided_at: int | None
    links: list[Link]
    correction: str
    correction_link: Link | None
    assignee: str
    muted: bool
    reopened: int
    match: MatchRow | None
    steps: list[StepRow]  # newest first


@dataclass(frozen=True)
class SplitRow:
    said: str
    links: list[str]  # ids of the other rumors
    at: int
    by: str
    why: str


def triage_view(alert: AlertDocument, words: Language) -> TriageView:
    t = alert.triage
    return TriageView(
        verdict=words.name("verdict", t.verdict) if t.verdict else "",
        decided_by=t.decided_by or "",
        decided_at=t.decided_at,
        links=[link for link in map(outside_link, t.links) if link is not None],
        correction=t.correction,
        correction_link=outside_link(t.correction_link or None),
        assignee=t.assignee or "",
        muted=t.muted,
        reopened=t.reopened,
        match=_match(t.match, words) if t.match else None,
        steps=[_step(step, words) for step in reversed(t.history)],
    )


def split_rows(rumor: RumorDocument | None, words: Language) -> list[SplitRow]:
    """Newest first, as the rumor sees them: posts left it, or made it, or did so to one that went into it."""
    if rumor is None:
        return []
    return [_split(split, rumor.rumor_id, words) for split in reversed(rumor.splits)]


def _split(split: Split, own: str, words: Language) -> SplitRow:
    key = {split.rumor: "split_left", split.part: "split_made"}.get(own, "split_moved")
    said = words.word(key, words.count("n_posts", split.posts))
    others = [name for name in (split.rumor, split.part) if name != own]
    return SplitRow(said, others, split.at, split.by, split.why)


def _step(step: Step, words: Language) -> StepRow:
    return StepRow(
        deed=words.name("deed", step.deed),
        who=step.who,
        at=step.at,
        why=step.why,
        status=words.name("status", step.status),
    )


def _match(match: ClaimMatch, words: Language) -> MatchRow:
    return MatchRow(
        claim_id=match.claim_id,
        certain=match.certain,
        likeness=words.number(round(match.similarity, 2)),
        text=match.text,
        verdict=words.name("verdict", match.verdict) if match.verdict else "",
        source=match.source,
        published=words.moment(match.published_at) if match.published_at is not None else "",
        correction=match.correction,
        link=outside_link(match.link or None),
    )


@dataclass(frozen=True)
class Acting:
    """The forms of an alert's or a rumor's page, and what became of the one that was sent."""

    deeds: list[Deed]
    who: str
    said: str = ""
    refused: bool = False
    part: str = ""  # the rumor that a split made


def on_alert(request: Request, store: Store, alert: AlertDocument, words: Language) -> Acting:
    return _acting(request, store, possible(alert.status, alert.triage.muted), words)


def on_rumor(request: Request, store: Store, rumor: RumorDocument, words: Language) -> Acting:
    return _acting(request, store, [RAISE] if raisable(rumor) else [], words)


def raisable(rumor: RumorDocument) -> bool:
    """Whether an analyst may raise it."""
    return rumor.open and rumor.alert_id is None and rumor.merged_into is None


def _acting(request: Request, store: Store, deeds: list[Deed], words: Language) -> Acting:
    who = unquote(request.cookies.get(NAME_COOKIE, ""))
    done = request.query_params.get("done", "")
    if not done:
        return Acting(deeds, who)
    told = store.action(done)
    if told is None:
        return Acting(deeds, who, words.word("done_waiting"))
    if not told.taken:
        return Acting(deeds, who, words.word("done_refused", told.reason), refused=True)
    said = words.word("done_taken", words.name("deed", told.deed))
    return Acting(deeds, who, said, part=told.given.get("part", ""))
