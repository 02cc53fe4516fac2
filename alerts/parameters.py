"""What an engineer may tune in the alert fold, and the constants that are not for tuning."""

from __future__ import annotations

import msgspec

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR

LIKENESS = 0.4
"""Mean cosine of two posts of one micro-cluster, taken as known: it tells how much of the cosine of
two centroids is due to averaging. Near .40 on labelled English and Vietnamese streams; .3 gave up to
.005 less F1, .6 up to .011 less and on one small stream .005 more (`python -m bench.clustering ablation`)."""

FEW = 0.15
"""What two micro-clusters of a and b different texts lack to full agreement counts 1 + FEW / (a * b) times:
posts of one subject share its names, and only more posts tell whether they share the claim. The cluster
fold has the same rule, a little milder (`clusters.parameters`)."""

MEANING_LIKENESS = 0.7
"""Mean cosine in meaning of two posts of one rumor, taken as known, as LIKENESS is for whole vectors."""

FEATURES_KEPT = 256
"""Feature sums kept per micro-cluster; the largest ones (ties: the lowest hash)."""

POSTS_KEPT = 200
"""Posts whose masked text a rumor keeps: for exemplars, and to follow it into an heir."""

SAYING = 8
"""Words from which a wording counts as one: shorter ones ("is that so?", "good morning all") are alike
without saying the same."""

EXEMPLARS = 10

COVERS_SHOWN = 50
"""Rumors that an alert's document names as covered, the newest."""

BUCKET = 5 * MINUTE
"""Width of a timeline or trend bucket."""

BUCKETS_KEPT = 288
"""Timeline buckets of a rumor's document: a day if every bucket holds posts."""

QUIET_CHANGES = 32
"""Documents of changed rumors are written after this many changes ..."""

QUIET_TICKS = 4
"""... or after this many, a second of a quiet live stream, ..."""

QUIET_MS = 1_000
"""... when the watermark has moved this far as well."""

AT_ONCE = 64
"""Rumors whose counts alone changed that one write takes, those that wait longest first: a store that
writes a rumor with its alert takes as long as for ten posts [measured: bench.searchable]. A new rumor,
a level, a merge and what the desk decides do not wait."""

MEMORY = 1 << 18
"""Vectors after which document frequencies and mean are halved, as in the cluster fold."""


class BadParameter(ValueError):
    """A setting of the alert fold has a name or value that cannot be used; one line."""

    exit_code = 1


class LevelRule(msgspec.Struct, frozen=True, kw_only=True):
    """What a rumor must reach: a score, and evidence that no score replaces."""

    score: float
    min_voices: int
    min_wordings: int
    min_posts: int = 1
    min_shared: float = 0.0  # nats, see `alerts.coherence`


class CategoryRules(msgspec.Struct, frozen=True, kw_only=True):
    """The levels for rumors of one category."""

    suggest: LevelRule
    confirm: LevelRule


class AlertParameters(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the alert fold. Thresholds are cosines, weights have no unit."""

    macro_threshold: float = 0.21
    event_threshold: float = 0.23
    link_threshold: float = 0.53
    dense_weight: float = 0.30
    index_posts: int = 2
    claim_offer: float = 0.42
    claim_certain: float = 0.60
    suggest: LevelRule = LevelRule(
        score=0.72, min_voices=2, min_wordings=0, min_posts=4, min_shared=60.0
    )
    confirm: LevelRule = LevelRule(
        score=0.75, min_voices=2, min_wordings=0, min_posts=7, min_shared=60.0
    )
    categories: dict[str, CategoryRules] = {}  # for those named here in place of the two above
    cooldown_h: float = 6.0
    cover_threshold: float = 0.12
    per_hour: int = 30
    weights: dict[str, float] = {}
    thresholds: dict[str, float] = {}
    settings_version: str = "default"
