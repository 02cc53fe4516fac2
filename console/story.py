"""One alert or one rumor, told in full. Documents in, what the page shows out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from console.charts import Chart, timeline_chart
from console.facts import Fact, alert_facts, rumor_facts
from console.language import Language
from console.links import Link, Piece, mark, outside_link
from console.signals import SignalRow, signal_rows
from console.triage import SplitRow, TriageView, raisable, split_rows, triage_view
from stores.base import AlertDocument, Exemplar, Join, PostDocument, RumorDocument, Store

POSTS_A_PAGE = 25
LONGEST_CHAIN = 16  # merges followed from an old id to its heir
SHOWN_PLACES = 8  # platforms, communities, languages listed by name


@dataclass(frozen=True)
class Share:
    name: str
    posts: int
    part: float  # %, of the largest


@dataclass(frozen=True)
class PostRow:
    post_id: str
    at: int
    pieces: list[Piece]
    lang: str  # for the lang attribute; "" when unknown
    tags: list[str]
    place: str
    link: Link | None


@dataclass(frozen=True)
class ExemplarRow:
    why: str
    at: int
    text: str


@dataclass(frozen=True)
class JoinRow:
    loser: str
    at: int
    reason: str


@dataclass(frozen=True)
class Story:
    kind: str  # "alert" or "rumor"
    key: str
    headline: str
    level: str
    status: str
    score: str
    posts: int
    voices: int
    reach: int
    first_at: int
    last_at: int
    now: int
    open: bool
    signals: list[SignalRow]
    exemplars: list[ExemplarRow]
    chart: Chart | None
    platforms: list[Share]
    communities: list[Share]
    languages: list[Share]
    post_rows: list[PostRow]
    page: int
    more: bool
    joins: list[JoinRow]
    facts: list[Fact]
    raisable: bool = False  # a rumor that an analyst may make an alert of
    other: str = ""  # path of the rumor's alert, or of the alert's rumor
    triage: TriageView | None = None
    splits: list[SplitRow] = field(default_factory=list)
    heir_of: str = ""  # the merged id that led here
    alert_keys: list[str] = field(default_factory=list)


def heir_alert(store: Store, alert_id: str) -> AlertDocument | None:
    """The alert as it stands now: itself, or what it was merged into."""
    found = store.alert(alert_id)
    for _ in range(LONGEST_CHAIN):
        if found is None or found.merged_into is None:
            return found
        found = store.alert(found.merged_into)
    return None


def heir_rumor(store: Store, rumor_id: str) -> RumorDocument | None:
    """The rumor as it stands now: itself, or what it was merged into."""
    found = store.rumor(rumor_id)
    for _ in range(LONGEST_CHAIN):
        if found is None or found.merged_into is None:
            return found
        found = store.rumor(found.merged_into)
    return None


def alert_story(store: Store, alert: AlertDocument, page: int, now: int, words: Language) -> Story:
    """An alert with what its rumor adds: timeline, languages, joins."""
    rumor = heir_rumor(store, alert.rumor_id)
    rumor_id = rumor.rumor_id if rumor else alert.rumor_id
    moments = [(alert.raised_at, alert.level if alert.confirmed_at is None else "suggest")]
    if alert.confirmed_at is not None:
        if alert.confirmed_at == alert.raised_at:
            moments = []
        moments.append((alert.confirmed_at, "confirm"))
    rows, more = _posts(store, rumor_id, page, words)
    languages = rumor.languages if rumor else dict.fromkeys(alert.languages, 0)
    return Story(
        kind="alert",
        key=alert.alert_id,
        headline=alert.headline,
        level=alert.level,
        status=alert.status,
        score=words.number(alert.score),
        posts=alert.posts,
        voices=alert.voices,
        reach=alert.reach,
        first_at=alert.first_post_at,
        last_at=alert.last_post_at,
        now=now,
        open=rumor.open if rumor else True,
        signals=signal_rows(alert.signals, words),
        exemplars=_exemplars(alert.exemplars, words),
        chart=_chart(rumor, moments, now, words),
        platforms=shares(alert.platforms, words),
        communities=shares(alert.communities, words),
        languages=shares(languages, words, "lang"),
        post_rows=rows,
        page=page,
        more=more,
        joins=_joins(rumor.joins if rumor else [], words),
        facts=alert_facts(alert, rumor_id, now, words),
        other=f"/rumors/{rumor_id}" if rumor else "",
        triage=triage_view(alert, words),
        splits=split_rows(rumor, words),
    )


def rumor_story(store: Store, rumor: RumorDocument, page: int, now: int, words: Language) -> Story:
    """A rumor, with or without an alert."""
    rows, more = _posts(store, rumor.rumor_id, page, words)
    return Story(
        kind="rumor",
        key=rumor.rumor_id,
        headline=rumor.headline,
        level=rumor.level or "",
        status="",
        score=words.number(rumor.score),
        posts=rumor.posts,
        voices=rumor.voices,
        reach=rumor.reach,
        first_at=rumor.first_post_at,
        last_at=rumor.last_post_at,
        now=now,
        open=rumor.open,
        signals=signal_rows(rumor.signals, words),
        exemplars=_exemplars(rumor.exemplars, words),
        chart=_chart(rumor, [], now, words),
        platforms=shares(rumor.platforms, words),
        communities=shares(rumor.communities, words),
        languages=shares(rumor.languages, words, "lang"),
        post_rows=rows,
        page=page,
        more=more,
        joins=_joins(rumor.joins, words),
        facts=rumor_facts(rumor, now, words),
        raisable=raisable(rumor),
        other=f"/alerts/{rumor.alert_id}" if rumor.alert_id else "",
        splits=split_rows(rumor, words),
    )


def post_row(post: PostDocument, words: Language, query: str = "") -> PostRow:
    """A post for a list; its link shows the host alone."""
    tags = [words.name("kind", post.kind)] if post.kind != "post" else []
    if post.repost_of:
        tags.append(words.word("repost"))
    elif post.reply_to:
        tags.append(words.word("reply"))
    tags += [words.name("flag", flag) for flag in post.flags]
    known = 2 <= len(post.lang) <= 3 and post.lang.isalpha() and post.lang != "und"
    return PostRow(
        post_id=post.post_id,
        at=post.created_at,
        pieces=mark(post.text, query) if query else [Piece(post.text, False)],
        lang=post.lang if known else "",
        tags=list(dict.fromkeys(tags)),
        place=" · ".join(part for part in (post.platform, post.community) if part),
        link=outside_link(post.url),
    )


def shares(counts: Mapping[str, int], words: Language, kind: str = "") -> list[Share]:
    """The largest places by posts, the rest as one line."""
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    named = [
        (words.name(kind, key) if kind else key or words.word("unknown"), n)
        for key, n in ordered[:SHOWN_PLACES]
    ]
    rest = sum(n for _, n in ordered[SHOWN_PLACES:])
    if rest:
        named.append((words.word("others"), rest))
    most = max((n for _, n in named), default=0) or 1
    return [Share(name, n, round(100 * n / most, 2)) for name, n in named]


def _posts(store: Store, rumor_id: str, page: int, words: Language) -> tuple[list[PostRow], bool]:
    found = store.posts(rumor_id, limit=POSTS_A_PAGE + 1, offset=(page - 1) * POSTS_A_PAGE)
    return [post_row(post, words) for post in found[:POSTS_A_PAGE]], len(found) > POSTS_A_PAGE


def _chart(
    rumor: RumorDocument | None, moments: Sequence[tuple[int, str]], now: int, words: Language
) -> Chart | None:
    if rumor is None:
        return None
    lines = [(at, level, f"{words.word(level)} {words.clock(at, now)}") for at, level in moments]
    return timeline_chart(rumor.timeline, lines, now, words)


def _exemplars(exemplars: Sequence[Exemplar], words: Language) -> list[ExemplarRow]:
    return [ExemplarRow(words.name("why", one.why), one.created_at, one.text) for one in exemplars]


def _joins(joins: Sequence[Join], words: Language) -> list[JoinRow]:
    return [
        JoinRow(
            loser=join.loser,
            at=join.at,
            reason=_join_reason(join, words),
        )
        for join in joins
    ]


def _join_reason(join: Join, words: Language) -> str:
    """The fold's own sentence where the reader's language has none made of its numbers, and an
    analyst's as it stands."""
    if join.by:
        return join.reason
    text = words.word("join_reason")
    if not text:
        return join.reason
    figures = (words.number(round(n, 2)) for n in (join.similarity, join.threshold))
    for name, figure in zip(("{similarity}", "{threshold}"), figures, strict=True):
        text = text.replace(name, figure)
    return text
