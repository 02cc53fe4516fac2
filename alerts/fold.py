"""The alert fold: state + next change -> state + effects, and nothing else.

The single owner of rumor and alert documents. One fold reads the one partition of `rumors.input`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from alerts.assigning import assigned
from alerts.binding import bind
from alerts.by_hand import raise_by_hand
from alerts.desk import Desk
from alerts.gate import Gate
from alerts.growing import absorb, close_aged, count, open_rumors
from alerts.levels import Levels
from alerts.measuring import measure
from alerts.micros import Micros
from alerts.parameters import DAY, POSTS_KEPT, AlertParameters, BadParameter
from alerts.raising import raise_alerts
from alerts.rumor import Rumor
from alerts.settling import audit_entry, taken_up
from alerts.shaping import last_of_each
from alerts.standing import Standing
from alerts.tree import Tree
from alerts.trends import Trends
from alerts.writing import Writing
from streams.codec import check_head
from streams.documents import Batch, RumorDocument
from streams.effects import Effects
from streams.inputs import Action, ClaimRecord, RumorInput, SettingsChange
from streams.records import Change, WrongEncoder

STATE_VERSION = 9

_SHAPING = {"merge": bind, "split": bind, "raise": raise_by_hand}
"""Deeds that change more than the alert that they name."""


class AlertFold:
    """Micro-clusters become rumors and events; rumors raise alerts.

    `take` is the fold's step for any record, `apply` the one for changes. A change that was applied
    before is skipped by its number and an action by its id, so that a log with repeats gives what the
    log without them gives.
    """

    def __init__(
        self, parameters: AlertParameters, *, encoder: str, dim: int, lateness_ms: int = DAY
    ) -> None:
        if not 1 <= parameters.index_posts <= POSTS_KEPT:
            raise BadParameter(
                f"alert.index_posts must lie between 1 and {POSTS_KEPT}, "
                f"not {parameters.index_posts}"
            )
        self._standing = Standing(
            encoder=encoder,
            parameters=parameters,
            levels=Levels(parameters),
            micros=Micros(dim, parameters.dense_weight),
            tree=Tree(parameters),
            trends=Trends(lateness_ms),
            desk=Desk(encoder),
            gate=Gate(),
        )
        self._writing = Writing(self._standing)
        self._ask()
        self._brought = ""  # version of the settings that the log brought
        self._applied: dict[int, int] = {}  # partition -> last change taken
        self._watermarks: dict[int, int] = {}

    @property
    def version(self) -> int:
        """Records taken so far: the version of every document out of the last one."""
        return self._standing.version

    @property
    def watermark(self) -> int:
        return self._standing.watermark

    @property
    def parameters(self) -> AlertParameters:
        """Those in force."""
        return self._standing.parameters

    @property
    def settings_version(self) -> str:
        """Of the settings in force."""
        return self._standing.parameters.settings_version

    @property
    def open_rumors(self) -> int:
        return len(self._standing.tree.rumors)

    @property
    def micro_clusters(self) -> int:
        """Active ones, of all partitions."""
        return len(self._standing.micros)

    @property
    def waiting(self) -> int:
        """Rumors that reached a level and wait for a place in the hour."""
        return len(self._standing.gate.waiting)

    def take(self, record: RumorInput) -> Effects:
        """Take up one record of `rumors.input`, whatever its kind. Raises WrongEncoder."""
        match record:
            case Change():
                return self.apply(record)
            case Action() | ClaimRecord():
                return self._decide(record)
            case SettingsChange():
                batch = self.owed()
                self._standing.version += 1
                settled = self._settle(record.alert, record.version)
                batch.audits = [audit_entry(record, settled, self._standing.version)]
                return Effects(watermark=self.watermark, batch=batch)

    def _settle(self, values: Mapping[str, Any], version: str) -> bool:
        """Other parameters from here on; False for those that this program cannot use."""
        standing = self._standing
        if (settled := taken_up(standing.parameters, values)) is None:
            return False
        standing.parameters, standing.levels = parameters, _ = settled
        self._brought = version
        standing.tree.use(parameters.macro_threshold, parameters.event_threshold)
        self._ask()
        return True

    def _ask(self) -> None:
        """The tree says from which cosines on it asks what is near."""
        self._standing.micros.tell_from(self._standing.tree.floors)

    def _decide(self, record: Action | ClaimRecord) -> Effects:
        """What people decided. The documents that it changed are written at once."""
        standing = self._standing
        effects = Effects(watermark=standing.watermark)
        if standing.desk.seen(record.id):
            return effects
        effects.batch = self.owed()
        standing.version += 1
        if (
            isinstance(record, Action)
            and (do := _SHAPING.get(record.deed)) is not None
            and not standing.desk.about_a_claim(record)
        ):
            do(standing, self._writing, record, effects)
            return effects
        for rumor in standing.desk.decide(record, standing.view(), self._headline, effects.batch):
            self._writing.tell(rumor, effects.batch)
        return effects

    def _headline(self, rumor: Rumor) -> str:
        return self._writing.document(rumor).headline

    def apply(self, change: Change, *, more: bool = False) -> Effects:
        """Take up one change of a cluster fold.

        With `more` documents that later changes may replace wait: for a change without it, any other
        record, `flush`, or until they are asked for by `owed`, as is due before a snapshot.
        Raises WrongEncoder when the change comes from a fold with another encoder.
        """
        standing, writing = self._standing, self._writing
        if change.encoder != standing.encoder:
            raise WrongEncoder(
                f"a change was made with {change.encoder}, this fold works with {standing.encoder}: "
                "let the changes of one encoder run out before changing it, or start a new state"
            )
        if change.sequence <= self._applied.get(change.partition, 0):
            return Effects(watermark=standing.watermark)
        self._applied[change.partition] = change.sequence
        self._watermarks[change.partition] = change.watermark
        standing.watermark = max(standing.watermark, min(self._watermarks.values()))
        standing.version += 1

        effects = Effects(watermark=standing.watermark, dead=change.dead)
        micros, tree = standing.micros, standing.tree
        rows, due = micros.add(change.micros)
        open_rumors(standing, change, rows)
        posts = count(standing, writing, change, rows)
        effects.merged, joined = tree.grow(micros, due, standing.watermark)
        for heir, loser in joined:
            posts += absorb(standing, writing, heir, loser)
        effects.batch.posts = last_of_each(posts)
        effects.assigned = assigned(change, rows, micros, tree)
        touched = tree.rumors.keys() & micros.rumor[rows].tolist()
        writing.changed(touched)
        measure([tree.rumors[n] for n in touched], micros)
        effects.raised = raise_alerts(standing, writing, touched)
        effects.closed = close_aged(standing, writing, change.aged, effects.batch)
        writing.take(effects.batch, more=more)
        return effects

    def expect(self, changes: Sequence[RumorInput]) -> None:
        """What most likely is applied next: no result depends on it, but it is done faster."""
        self._standing.micros.expect([one.micros for one in changes if isinstance(one, Change)])

    def owed(self) -> Batch:
        """The documents that waited for more changes."""
        batch = Batch()
        self._writing.settle_all(batch)
        return batch

    def flush(self) -> Batch:
        """Documents of all that changed since the last write, at the end of a stream."""
        batch = Batch()
        self._writing.take_all(batch)
        return batch

    def open_documents(self) -> list[RumorDocument]:
        """Every open rumor of two or more posts, or with an alert, as it stands."""
        return [
            self._writing.document(rumor)
            for number, rumor in sorted(self._standing.tree.rumors.items())
            if rumor.posts.count > 1 or rumor.alert is not None
        ]

    def snapshot(self) -> dict[str, Any]:
        """The whole state, for `streams.codec.pack_state`."""
        standing = self._standing
        assert not self._writing.waiting, "documents are owed"
        return {
            "version": STATE_VERSION,
            "encoder": standing.encoder,
            "micros": standing.micros.state(),
            "tree": standing.tree.state(),
            "trends": standing.trends.state(),
            "applied": sorted(self._applied.items()),
            "watermarks": sorted(self._watermarks.items()),
            "watermark": standing.watermark,
            "changes": standing.version,
            "place": standing.place,
            "newest": standing.newest,
            "desk": standing.desk.state(),
            "gate": standing.gate.state(),
            **self._writing.state(),
            "settings": [self._brought, msgspec.to_builtins(standing.parameters)],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a snapshot. Raises WrongEncoder, and CodecError for one of another version."""
        standing = self._standing
        check_head(state, fold="alert", version=STATE_VERSION, encoder=standing.encoder)
        micros, tree = standing.micros, standing.tree
        micros.restore(state["micros"])
        tree.restore(state["tree"])
        brought, values = state["settings"]
        if brought:  # else the settings of this process's start are in force
            self._settle(values, brought)
        micros.event[:] = [tree.rumors[n].event for n in micros.rumor.tolist()]
        standing.trends.restore(state["trends"])
        self._applied = dict(state["applied"])
        self._watermarks = dict(state["watermarks"])
        standing.watermark = state["watermark"]
        standing.version = state["changes"]
        standing.place = state["place"]
        standing.newest = state["newest"]
        standing.desk.restore(state["desk"])
        standing.gate.restore(state["gate"])
        self._writing.restore(state)
