"""One side of a shadow: both folds under one setting, and what a comparison needs of what they say."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterator

from agents.replay_files import Heirs
from agents.stages import alert_fold, cluster_fold
from clusters import ClusterFold
from config import Settings
from embeddings.door import Door
from evaluation.shadow.comparing import Sighting
from streams.effects import Effects, Raised
from streams.inputs import SettingsChange
from streams.records import Change, Frame, Outcome

POSTS_KEPT = 200_000
"""Newest posts whose rumor is kept, so that memory does not grow with the length of a live run."""

ALERTS_KEPT = 20_000
"""Newest alerts; at fifty a day more than a year."""

LEAST_POSTS = 5
"""Posts from which a rumor is compared; smaller ones come and go with every threshold."""


class Side:
    """The folds of one setting, in this process's memory alone."""

    def __init__(self, settings: Settings, door: Door) -> None:
        self._settings = settings
        self._door = door
        self._clusters: dict[int, ClusterFold] = {}
        self._alert = alert_fold(settings, door)
        self._change: SettingsChange | None = None  # the newest that the log brought
        self._heirs = Heirs()
        self._rumor_of: OrderedDict[str, str] = OrderedDict()  # post -> its rumor when it came
        self._alerts: OrderedDict[str, Sighting] = OrderedDict()
        self.folded = 0
        self.log: list[Effects] | None = None  # what was said, where the caller wants all of it

    @property
    def watermark(self) -> int:
        return self._alert.watermark

    def settle(self, change: SettingsChange) -> None:
        """Other settings from here on, for every fold."""
        self._change = change
        for cluster in self._clusters.values():
            cluster.take(change)
        self._alert.take(change)

    def fold(self, frame: Frame, partition: int = 0) -> None:
        cluster = self._clusters.get(partition)
        if cluster is None:
            cluster = cluster_fold(self._settings, self._door, partition)
            if self._change is not None:
                cluster.take(self._change)
            self._clusters[partition] = cluster
        for change in cluster.fold(frame):
            self._apply(change)

    def _apply(self, change: Change) -> None:
        effects = self._alert.apply(change)
        for merged in effects.merged:
            self._heirs.note(merged.loser, merged.heir)
        for assigned in effects.assigned:
            if assigned.outcome == Outcome.FOLDED and assigned.rumor:
                self.folded += 1
                self._rumor_of[f"{assigned.source}/{assigned.post_id}"] = assigned.rumor
                if len(self._rumor_of) > POSTS_KEPT:
                    self._rumor_of.popitem(last=False)
        for raised in effects.raised:
            self._note(raised)
        if self.log is not None:
            self.log.append(effects)

    def _note(self, raised: Raised) -> None:
        sighting = self._alerts.get(raised.alert_id)
        if sighting is None:
            sighting = Sighting(
                alert_id=raised.alert_id,
                headline=raised.headline,
                posts=[],
                raised_at=raised.raised_at,
                posts_then=len(raised.post_ids),
            )
            self._alerts[raised.alert_id] = sighting
            if len(self._alerts) > ALERTS_KEPT:
                self._alerts.popitem(last=False)
        sighting.posts = list(raised.post_ids)
        sighting.headline = raised.headline
        if raised.level == "confirm":
            sighting.confirmed_at = raised.raised_at

    def alerts(self) -> list[Sighting]:
        return list(self._alerts.values())

    def rumors(self) -> Iterator[list[str]]:
        """Posts of each rumor of five or more, of those that are kept."""
        groups: dict[str, list[str]] = defaultdict(list)
        for post, rumor in self._rumor_of.items():
            groups[self._heirs.of(rumor)].append(post)
        return (posts for posts in groups.values() if len(posts) >= LEAST_POSTS)
