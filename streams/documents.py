"""What a store keeps: whole documents, each with an id and the fold's version. Times are ms."""

from __future__ import annotations

from typing import Literal

import msgspec

Level = Literal["suggest", "confirm"]
Status = Literal["new", "acknowledged", "assigned", "verifying", "answered", "dismissed", "closed"]
Verdict = Literal["fake", "not-the-truth", "authenticated", "unverifiable"]


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """A named measure on a rumor, and what it was held against."""

    name: str
    value: float
    threshold: float
    unit: str
    definition: str  # one sentence
    weight: float = 0.0  # added to the score when the value reaches the threshold


class Exemplar(msgspec.Struct, frozen=True, kw_only=True):
    """A post shown for its rumor, and why it was chosen."""

    source: str
    post_id: str
    text: str  # masked
    created_at: int
    why: str  # "first", "newest", "enquiry", "denial", "central", "correction", ...


class Join(msgspec.Struct, frozen=True, kw_only=True):
    """Why two rumors became one."""

    loser: str
    at: int
    similarity: float
    threshold: float
    reason: str  # one sentence with the numbers
    by: str = ""  # the analyst who merged them; "": the road itself


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """Posts that an analyst took out of a rumor: not the same claim. Both rumors show it."""

    rumor: str  # that they left
    part: str  # that they became
    at: int
    by: str
    why: str
    posts: int  # that moved


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step in an alert's life, taken by an analyst or by the road itself (who: "")."""

    at: int  # ms
    who: str
    deed: str  # a word of `streams.inputs.Deed`, or "reopened", "closed", "merged", "covered"
    why: str
    status: Status  # after it


class ClaimMatch(msgspec.Struct, frozen=True, kw_only=True):
    """A known claim that a rumor tells again: what was found, by whom, when, and what to answer."""

    claim_id: str
    similarity: float
    certain: bool  # else an offer, for the analyst to judge
    text: str
    verdict: Verdict | None
    source: str
    published_at: int | None  # ms
    correction: str
    link: str


class Triage(msgspec.Struct, frozen=True, kw_only=True):
    """What the desk made of an alert, besides its status."""

    assignee: str | None = None
    verdict: Verdict | None = None
    decided_by: str | None = None  # who gave the verdict
    decided_at: int | None = None  # ms
    links: list[str] = []  # where the verdict can be checked
    correction: str = ""  # the answer to share
    correction_link: str = ""
    reopened: int = 0  # how often a new burst opened it again
    muted: bool = False
    returned: bool = False  # for certain a claim that is known: not a new investigation
    match: ClaimMatch | None = None
    history: list[Step] = []  # the newest 50


class RumorDocument(msgspec.Struct, kw_only=True):
    rumor_id: str
    version: int
    event_id: str
    headline: str
    posts: int
    voices: int
    reach: int
    born_at: int  # time of the post that opened it; never changes (its month names its index)
    first_post_at: int
    last_post_at: int
    updated_at: int  # watermark
    languages: dict[str, int]
    platforms: dict[str, int]
    communities: dict[str, int]
    micro_clusters: int
    score: float
    signals: list[Signal]
    exemplars: list[Exemplar]
    timeline: list[tuple[int, int]]  # (start of a 5-minute bucket, posts), the newest 288 held
    joins: list[Join]
    splits: list[Split] = []
    level: Level | None = None
    alert_id: str | None = None
    category: str | None = None  # id in the taxonomy, "other" when none is sure enough
    category_confidence: float = 0.0  # 0 to 1, see `alerts.topics`
    merged_into: str | None = None
    covered_by: str | None = None  # id of the alert with which it is shown, see `alerts.covering`
    waiting_since: int | None = None  # ms: it reached a level when the hour's alerts were used up
    open: bool = True
    # mean dense vector of its posts, int8 values (`streams.grid.int8`); empty without an encoder
    vector: bytes = b""


class AlertDocument(msgspec.Struct, kw_only=True):
    alert_id: str
    version: int
    rumor_id: str  # the rumor as it stands now (the heir after a merge)
    event_id: str
    level: Level
    status: Status
    raised_at: int  # first level reached, watermark
    confirmed_at: int | None
    raised_by: str  # post id
    updated_at: int
    headline: str
    score: float
    signals: list[Signal]  # as they stand now
    posts: int
    voices: int
    reach: int
    first_post_at: int
    last_post_at: int
    languages: list[str]
    platforms: dict[str, int]
    communities: dict[str, int]
    exemplars: list[Exemplar]
    settings_version: str
    encoder: str
    category: str | None = None
    category_confidence: float = 0.0
    merged_into: str | None = None  # alert id of the heir
    covers: list[str] = []  # ids of rumors that say nearly the same and raise no alert of their own
    waited_ms: int = 0  # for a place in the hour, before it was raised
    triage: Triage = msgspec.field(default_factory=Triage)


class PostDocument(msgspec.Struct, kw_only=True):
    """A post of a rumor above the index threshold. No voice: nothing in a store leads to a person."""

    source: str
    post_id: str
    version: int
    rumor_id: str
    micro_cluster_id: str
    created_at: int
    text: str  # masked
    lang: str
    platform: str | None
    community: str | None
    url: str | None
    reply_to: str | None
    repost_of: str | None
    kind: str
    flags: list[str]
    reach: int


class TrendDocument(msgspec.Struct, kw_only=True):
    """Absolute counts of one 5-minute bucket, language, platform and category."""

    bucket: int  # start, ms
    language: str
    platform: str
    version: int
    posts: int
    category: str = "other"  # of the posts; of an alert's rumor
    alerts_suggest: int = 0
    alerts_confirm: int = 0


class ClaimText(msgspec.Struct, frozen=True, kw_only=True):
    """A known claim in the words of one language."""

    text: str
    lang: str  # ISO 639-1 or "und"


class ClaimDocument(msgspec.Struct, kw_only=True):
    """A claim that was verified before, by this desk or by another, or that the desk muted."""

    claim_id: str
    version: int
    since: int  # ms, when the desk first knew it; never changes (its month names its index)
    texts: list[ClaimText]
    verdict: Verdict | None  # None: muted without one
    rating: str  # as its source words it
    source: str  # who says so
    published_at: int | None  # ms
    correction: str  # the answer to share
    link: str  # where it stands
    origin: Literal["verdict", "import", "mute"]
    alert_id: str | None  # of an own verdict
    encoder: str  # made with: Encoder.identity
    muted: bool
    returned: int  # rumors that told it again, for certain


class AuditDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One action or claim record as it was given, and what became of it. Written once."""

    action_id: str
    version: int
    at: int  # ms, as given
    who: str
    deed: str
    subject: str  # id of the alert, rumor or claim, as given
    why: str
    given: dict[str, str]  # what else was given, by name
    taken: bool
    reason: str  # why it was refused; empty when it was taken
    alert_id: str | None  # that stands now
    rumor_id: str | None
    status: Status | None  # of the alert after it


class Batch(msgspec.Struct, kw_only=True):
    """Documents out of one step of the alert fold."""

    rumors: list[RumorDocument] = []
    alerts: list[AlertDocument] = []
    posts: list[PostDocument] = []
    trends: list[TrendDocument] = []
    claims: list[ClaimDocument] = []
    audits: list[AuditDocument] = []

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in self.__struct_fields__)


def post_key(source: str, post_id: str) -> str:
    """The document id of a post: unambiguous for any source and id."""
    return f"{len(source)}:{source}:{post_id}"


def newest(batches: list[Batch]) -> Batch:
    """One batch with the newest version of each document."""
    return Batch(
        rumors=list({d.rumor_id: d for b in batches for d in b.rumors}.values()),
        alerts=list({d.alert_id: d for b in batches for d in b.alerts}.values()),
        posts=list({(d.source, d.post_id): d for b in batches for d in b.posts}.values()),
        trends=list(
            {
                (d.bucket, d.language, d.platform, d.category): d for b in batches for d in b.trends
            }.values()
        ),
        claims=list({d.claim_id: d for b in batches for d in b.claims}.values()),
        audits=[d for b in batches for d in b.audits],
    )
