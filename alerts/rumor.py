"""A rumor as the alert fold holds it: totals over its posts, never the posts' authors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from alerts.distinct import Distinct
from alerts.parameters import BUCKET, BUCKETS_KEPT, DAY, POSTS_KEPT, SAYING
from alerts.placed import Placed
from alerts.topics import category_of
from alerts.window import Window
from streams.documents import Join, Level, Split, Status, Triage
from streams.records import KINDS, Change, Flag, Kind, Outcome

_MAPPINGS = ["languages", "platforms", "communities", "categories", "kinds", "flags", "timeline"]
_NOT_IN_STATE = {"window"}
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(dict[str, Any]).decode
_FOLDED = int(Outcome.FOLDED)
_FLAGS = tuple(int(flag) for flag in Flag)  # plain ints: an enum's operators are slow


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """A post whose masked text the rumor still holds."""

    source: str
    id: str
    text: str
    created_at: int
    lang: str
    platform: str | None
    community: str | None
    url: str | None
    reply_to: str | None
    repost_of: str | None
    kind: int
    flags: int
    reach: int
    micro: str
    category: str
    sure: int  # percent
    wording: int
    words: int  # of the text, as far as a headline can show them: at most 20


def folded_posts(
    change: Change, micros: Sequence[str], known: Callable[[str, str], str]
) -> Iterator[tuple[int, int, Kept]]:
    """A change's folded posts in order: index of the micro-cluster, voice, post.

    `micros`: names of the change's micro-clusters. `known` gives for a name (twice) the same string each
    time: kept posts share theirs.
    """
    c = change.rows
    for (
        outcome, micro, voice, source, post_id, text, created_at, lang, platform, community, url, reply_to,
        repost_of, kind, flags, reach, category, sure, wording,
    ) in zip(
        c.outcome.tolist(), c.micro.tolist(), c.voice.tolist(), c.source, c.id, c.text,
        c.created_at.tolist(), c.lang, c.platform, c.community, c.url, c.reply_to, c.repost_of,
        c.kind.tolist(), c.flags.tolist(), c.reach.tolist(), c.category, c.sure.tolist(),
        c.wording.tolist(), strict=True,
    ):  # fmt: skip
        if outcome == _FOLDED:
            words = len(text.split(maxsplit=20)[:20])
            yield (
                micro,
                voice,
                Kept(
                    known(source, source), post_id, text, created_at, known(lang, lang),
                    platform and known(platform, platform),
                    community and known(community, community), url, reply_to, repost_of, kind, flags,
                    reach, micros[micro], known(category, category), sure, wording, words,
                ),
            )  # fmt: skip


class AlertState(msgspec.Struct):
    """The alert of a rumor, from its first level on."""

    alert_id: str
    level: Level
    raised_at: int
    raised_by: str
    confirmed_at: int | None = None
    status: Status = "new"
    triage: Triage = msgspec.field(default_factory=Triage)
    settled_at: int | None = None  # watermark at its answer, dismissal or close; None while open
    waited_ms: int = 0  # for a place in the hour, see `alerts.gate`
    burst: list[tuple[int, int, int]] = []  # (ms, voice, wording) of posts since then, see `burst`


class Rumor(msgspec.Struct, kw_only=True):
    """Sums over the folded posts of one rumor. Two rumors add up: everything here can be merged."""

    number: int  # order of birth inside the fold
    id: str
    event: int  # number of the rumor whose event this is
    # time of the post that opened it; never changes, so that its documents keep their place
    born_at: int
    first_at: int
    last_at: int
    posts: Placed = msgspec.field(default_factory=Placed)
    voices: Distinct = msgspec.field(default_factory=Distinct)
    wordings: Distinct = msgspec.field(default_factory=Distinct)  # of SAYING words or more
    texts: int = 0  # different texts: exact copies of one count once
    measured: int = 0  # of these when coherence was last measured; 0: due
    shared: float = 0.0  # coherence then, see `alerts.coherence`
    overlap: float = 0.0
    languages: dict[str, int] = {}
    platforms: dict[str, int] = {}
    communities: dict[str, int] = {}
    categories: dict[str, int] = {}  # category -> sum over posts of their sureness, percent
    kinds: dict[int, int] = {}  # index into KINDS -> posts; plain posts are not counted
    flags: dict[int, int] = {}  # Flag -> posts that carry it
    reach: int = 0
    timeline: dict[int, int] = {}  # start of bucket -> posts
    kept: list[Kept] = []
    marks: list[tuple[int, int]] = []  # (place, voice) of each kept post
    indexed: bool = False
    vector: bytes = b""  # as it last grew, from when a micro-cluster leaves the window; else empty
    joins: list[Join] = []
    splits: list[Split] = []  # out of it, or the one that made it
    alert: AlertState | None = None
    ordinal: int = 0  # alerts raised so far
    answered_by: str = ""  # id of a known claim for whose sake no alert is raised
    window: Window | None = None  # see `lately`; not part of the state

    def take(self, post: Kept, voice: int, place: int) -> None:
        """Count one more folded post, the `place`-th of all."""
        at = post.created_at
        self.vector = b""
        self.posts.add(place, post.id)
        if at < self.first_at:
            self.first_at = at
        if at > self.last_at:
            self.last_at = at
        self.hear(post, voice)
        _count(self.languages, post.lang)
        if post.platform:
            _count(self.platforms, post.platform)
        if post.community:
            _count(self.communities, post.community)
        if post.sure:
            self.categories[post.category] = self.categories.get(post.category, 0) + post.sure
        if post.flags:
            for flag in _FLAGS:
                if post.flags & flag:
                    self.flags[flag] = self.flags.get(flag, 0) + 1
        if post.kind:
            self.kinds[post.kind] = self.kinds.get(post.kind, 0) + 1
        self.reach += post.reach
        bucket = at // BUCKET * BUCKET
        self.timeline[bucket] = self.timeline.get(bucket, 0) + 1
        if self.window is not None:
            self.window.add(bucket)
        if len(self.kept) < POSTS_KEPT:
            self.kept.append(post)
            self.marks.append((place, voice))

    def hear(self, post: Kept, voice: int) -> None:
        """Note who said it, and in which words."""
        if post.repost_of is None:
            self.voices.add(voice, post.created_at)
            if post.wording and post.words >= SAYING:
                self.wordings.add(post.wording, post.created_at)

    def absorb(self, other: Rumor) -> None:
        """Add a younger rumor's sums to this one."""
        self.vector = b""
        self.posts.extend(other.posts)
        self.first_at = min(self.first_at, other.first_at)
        self.last_at = max(self.last_at, other.last_at)
        self.voices.merge(other.voices)
        self.wordings.merge(other.wordings)
        self.texts += other.texts
        self.measured = 0
        for sums, more in (
            (self.languages, other.languages),
            (self.platforms, other.platforms),
            (self.communities, other.communities),
            (self.categories, other.categories),
        ):
            for name, n in more.items():
                sums[name] = sums.get(name, 0) + n
        for counts, numbers in (
            (self.kinds, other.kinds),
            (self.flags, other.flags),
            (self.timeline, other.timeline),
        ):
            for number, n in numbers.items():
                counts[number] = counts.get(number, 0) + n
        self.window = None
        self.reach += other.reach
        self.kept = (self.kept + other.kept)[:POSTS_KEPT]
        self.marks = (self.marks + other.marks)[:POSTS_KEPT]
        self.joins = sorted(self.joins + other.joins, key=lambda one: (one.at, one.loser))
        self.splits = sorted(self.splits + other.splits, key=lambda one: (one.at, one.part))

    def volume(self, start: int, end: int) -> int:
        """Posts in buckets that start in [start, end), ms."""
        return sum([n for bucket, n in self.timeline.items() if start <= bucket < end])

    def lately(self, now: int) -> int:
        """Posts of the last 24 hours before a watermark `now` (ms), and what came ahead of it.

        Counted along while watermarks ascend: no walk through the timeline for each change.
        """
        start = now - DAY
        if self.last_at // BUCKET * BUCKET >= now + DAY:
            return self.volume(start, now + DAY)
        window = self.window
        if window is None or start < window.start:
            window = self.window = Window.of(start, self.timeline)
        return window.since(start)

    def forget_before(self, at: int) -> None:
        """Let go of what is older than `at` (ms) and a day: no signal or document asks for it."""
        limit = at - DAY
        self.voices.forget(limit)
        self.wordings.forget(limit)
        if len(self.timeline) > 2 * BUCKETS_KEPT:
            shown = sorted(self.timeline)[-BUCKETS_KEPT]
            for bucket in [b for b in self.timeline if b < min(limit, shown)]:
                del self.timeline[bucket]
            self.window = None

    @property
    def main_language(self) -> str:
        """The language of most of its posts, ties to the first name."""
        languages = self.languages
        return max(sorted(languages), key=lambda name: languages[name])

    @property
    def category(self) -> tuple[str, float]:
        """What it is about, and the confidence."""
        return category_of(self.categories, self.posts.count)

    def share(self, flag: int) -> float:
        """Part of the posts that carry a flag, 0 to 1."""
        posts = self.flags.get(flag)
        return posts / self.posts.count if posts else 0.0

    def share_of_kind(self, kind: Kind) -> float:
        """Part of the posts that are of a kind, 0 to 1."""
        posts = self.kinds.get(KINDS.index(kind)) if self.kinds else None
        return posts / self.posts.count if posts else 0.0


_IN_STATE = [name for name in Rumor.__struct_fields__ if name not in _NOT_IN_STATE]


def _count(sums: dict[str, int], name: str) -> None:
    sums[name] = sums.get(name, 0) + 1


def to_state(rumor: Rumor) -> msgspec.Raw:
    """A rumor's values in bytes, mappings sorted: the same rumor gives the same ones.

    Bytes and not values, because a snapshot holds all posts kept, and nobody walks through them.
    """
    state: dict[str, Any] = {name: getattr(rumor, name) for name in _IN_STATE}
    for name in _MAPPINGS:
        state[name] = sorted(state[name].items())
    state["posts"] = rumor.posts.as_array()
    for name in ("voices", "wordings"):
        state[name] = [state[name].depth, sorted(state[name].newest.items())]
    return msgspec.Raw(_encode(state))


def from_state(state: dict[str, Any] | msgspec.Raw) -> Rumor:
    """Also takes what a checkpoint's bytes hold in its place."""
    fields: dict[str, Any] = dict(_decode(state) if isinstance(state, msgspec.Raw) else state)
    for name in _MAPPINGS:
        fields[name] = dict(fields[name])
    for name in ("voices", "wordings"):
        depth, newest = fields[name]
        fields[name] = Distinct(depth=depth, newest=dict(newest))
    fields["alert"] = _as_struct(fields["alert"], AlertState)
    fields["kept"] = [msgspec.convert(k, Kept) for k in fields["kept"]]
    fields["joins"] = [msgspec.convert(j, Join) for j in fields["joins"]]
    fields["splits"] = [msgspec.convert(s, Split) for s in fields["splits"]]
    fields["marks"] = [(place, voice) for place, voice in fields["marks"]]
    fields["posts"] = Placed(fields["posts"])
    return Rumor(**fields)


def _as_struct(value: Any, kind: type[AlertState]) -> AlertState | None:
    return None if value is None else msgspec.convert(dict(value), kind)
