"""The stages as the settings ask for them; the roads in one process and on Kafka share them."""

from __future__ import annotations

from functools import cached_property

from agents.front import Front
from agents.plan import FrontPlan, cluster_of, door_of, encoder_named
from alerts import AlertFold, AlertParameters, CategoryRules, LevelRule
from clusters import ClusterFold, ClusterParameters
from config import Settings
from config.taxonomy import load_taxonomy
from embeddings.door import Door
from embeddings.encoder import SHIPPED, SHIPPED_NAME, Encoder, Encoding, shipped_encoding
from embeddings.pseudonym import load_or_create_key
from streams.validation import IntakeRules

HOUR_MS = 3_600_000
MINUTE_MS = 60_000
DAY_MS = 24 * HOUR_MS

GRANULARITY_STEP = 0.10
"""Cosine by which the thresholds move for one unit of `cluster.granularity`: coarse labelled
streams want .25-.30 where fine ones want .40-.45."""


def encoder_for(settings: Settings) -> Encoder | None:
    """The encoder that `embed.encoder` names; None for `none`, and while no model is shipped."""
    return encoder_named(settings.embed.encoder)


def pseudonym_key(settings: Settings) -> bytes:
    """The key of the authors' pseudonyms: the one that is set, else the state folder's own.

    Raises KeyFileError.
    """
    given = settings.intake.pseudonym_key.get_secret_value()
    return (
        given.encode()[:64] if given else load_or_create_key(settings.state_dir / "pseudonym.key")
    )


def front_plan(settings: Settings, *, replay: bool) -> FrontPlan:
    """What the front is made of. In a replay no post is refused for lying in the future.

    Raises KeyFileError, SettingsError.
    """
    intake = settings.intake
    return FrontPlan(
        encoder=settings.embed.encoder,
        key=pseudonym_key(settings),
        rules=IntakeRules(
            max_record_bytes=intake.max_record_bytes,
            future_ms=None if replay else int(intake.future_min * MINUTE_MS),
            arrival_time_sources=frozenset(intake.arrival_time_sources),
        ),
        taxonomy=load_taxonomy(settings.embed.taxonomy),
        max_text=intake.max_text,
        cluster=cluster_parameters(settings),
    )


def door_for(settings: Settings, encoder: Encoder | None, *, replay: bool) -> Door:
    """The embed stage; see `front_plan`."""
    return door_of(front_plan(settings, replay=replay), encoder)


def cluster_parameters(settings: Settings) -> ClusterParameters:
    c = settings.cluster
    return ClusterParameters(
        micro_threshold=_finer(c.micro_threshold, c.granularity),
        dense_weight=c.dense_weight,
        window_ms=int(c.window_days * DAY_MS),
        lateness_ms=int(settings.intake.lateness_h * HOUR_MS),
        silent_ms=int(settings.time.silent_min * MINUTE_MS),
    )


def alert_parameters(settings: Settings) -> AlertParameters:
    """Raises SettingsError for a category that the taxonomy lacks."""
    a, granularity = settings.alert, settings.cluster.granularity
    return AlertParameters(
        macro_threshold=_finer(a.macro_threshold, granularity),
        event_threshold=_finer(a.event_threshold, granularity),
        link_threshold=a.link_threshold,
        dense_weight=settings.cluster.dense_weight,
        index_posts=a.index_posts,
        claim_offer=a.claim_offer,
        claim_certain=a.claim_certain,
        suggest=LevelRule(**a.suggest.model_dump()),
        confirm=LevelRule(**a.confirm.model_dump()),
        categories=_categories(settings),
        cooldown_h=a.cooldown_h,
        cover_threshold=a.cover_threshold,
        per_hour=a.per_hour,
        weights=dict(a.weights),
        thresholds=dict(a.thresholds),
        settings_version=settings.sha256[:12],
    )


def _categories(settings: Settings) -> dict[str, CategoryRules]:
    a, found = settings.alert, {}
    taxonomy = load_taxonomy(settings.embed.taxonomy) if a.categories else None
    for name, change in a.categories.items():
        assert taxonomy is not None
        taxonomy.require(name, "alert.categories")
        rules = (
            LevelRule(**{**usual.model_dump(), **other.model_dump(exclude_none=True)})
            for usual, other in ((a.suggest, change.suggest), (a.confirm, change.confirm))
        )
        found[name] = CategoryRules(suggest=next(rules), confirm=next(rules))
    return found


def _finer(threshold: float, granularity: float) -> float:
    return min(max(threshold + GRANULARITY_STEP * granularity, 0.05), 0.95)


def cluster_fold(settings: Settings, door: Door, partition: int = 0) -> ClusterFold:
    return cluster_of(cluster_parameters(settings), door, partition)


def alert_fold(settings: Settings, door: Encoding | Door) -> AlertFold:
    """The alert fold asks of the door only with which encoder it works."""
    return AlertFold(
        alert_parameters(settings),
        encoder=door.identity,
        dim=door.dim,
        lateness_ms=int(settings.intake.lateness_h * HOUR_MS),
    )


class Stages:
    """The stages of a replay, for one process; each is built when it is first asked for.

    The alert fold alone needs no more of the encoder than its name and dimensions: a process that
    only raises alerts holds no model. Raises EncoderError, KeyFileError, UnknownSignal.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        shipped = settings.embed.encoder == SHIPPED_NAME and SHIPPED.is_dir()
        encoding = shipped_encoding() if shipped else self.door
        self.identity = encoding.identity
        self.alert = alert_fold(settings, encoding)

    @cached_property
    def plan(self) -> FrontPlan:
        return front_plan(self._settings, replay=True)

    @cached_property
    def door(self) -> Door:
        return door_of(self.plan, encoder_named(self.plan.encoder))

    @cached_property
    def cluster(self) -> ClusterFold:
        return cluster_of(self.plan.cluster, self.door)

    @cached_property
    def front(self) -> Front:
        """Door and cluster fold."""
        return Front(self.door, self.cluster)
