"""The alert fold: state + next change -> state + effects, and nothing else.

The single owner of rumor and alert documents. One fold reads the one partition of `rumors.input`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from alerts.assigning import assigned
from alerts.desk import Desk, View
from alerts.exemplars import Shown
from alerts.levels import Levels
from alerts.lifecycle import hear, note
from alerts.measuring import count_texts, measure
from alerts.micros import Micros
from alerts.parameters import (
    DAY,
    POSTS_KEPT,
    QUIET_CHANGES,
    QUIET_MS,
    QUIET_TICKS,
    AlertParameters,
    BadParameter,
)
from alerts.raising import main_place, raised_of
from alerts.rumor import AlertState, Rumor, folded_posts
from alerts.settling import audit_entry, taken_up
from alerts.shaping import alert_document, last_of_each, post_document, rumor_document
from alerts.tree import Tree
from alerts.trends import Trends
from alerts.writing import Gone
from streams.codec import check_head
from streams.documents import AlertDocument, Batch, PostDocument, RumorDocument
from streams.effects import Effects, Raised
from streams.grid import int8
from streams.ids import rumor_id
from streams.inputs import Action, ClaimRecord, RumorInput, SettingsChange
from streams.records import Change, WrongEncoder
from streams.time import NEVER

STATE_VERSION = 5


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
        self._parameters = parameters
        self._encoder = encoder
        self._micros = Micros(dim, parameters.dense_weight)
        self._tree = Tree(parameters)
        self._levels = Levels(parameters)
        self._trends = Trends(lateness_ms)
        self._desk = Desk(encoder)
        self._brought = ""  # version of the settings that the log brought
        self._applied: dict[int, int] = {}  # partition -> last change taken
        self._watermarks: dict[int, int] = {}
        self._watermark = NEVER
        self._version = 0
        self._place = 0  # posts folded
        self._newest = ""  # id of the last folded post
        self._dirty: set[int] = set()
        self._gone: list[Gone] = []  # merged away or closed since the last write
        self._shown: dict[int, Shown] = {}  # of rumors that were written
        self._written = (0, NEVER)  # version and watermark of the last write

    @property
    def version(self) -> int:
        """Records taken so far: the version of every document out of the last one."""
        return self._version

    @property
    def watermark(self) -> int:
        return self._watermark

    @property
    def settings_version(self) -> str:
        """Of the settings in force."""
        return self._parameters.settings_version

    @property
    def open_rumors(self) -> int:
        return len(self._tree.rumors)

    def take(self, record: RumorInput) -> Effects:
        """Take up one record of `rumors.input`, whatever its kind. Raises WrongEncoder."""
        match record:
            case Change():
                return self.apply(record)
            case Action() | ClaimRecord():
                return self._decide(record)
            case SettingsChange():
                self._version += 1
                settled = self._settle(record.alert, record.version)
                entry = audit_entry(record, settled, self._version)
                return Effects(watermark=self._watermark, batch=Batch(audits=[entry]))

    def _settle(self, values: Mapping[str, Any], version: str) -> bool:
        """Other parameters from here on; False for those that this program cannot use."""
        if (settled := taken_up(self._parameters, values)) is None:
            return False
        self._parameters, self._levels = settled
        self._brought = version
        self._tree.use(self._parameters.macro_threshold, self._parameters.event_threshold)
        return True

    def _decide(self, record: Action | ClaimRecord) -> Effects:
        """What people decided. The documents that it changed are written at once."""
        effects = Effects(watermark=self._watermark)
        if self._desk.seen(record.id):
            return effects
        self._version += 1
        view = View(self._tree, self._micros, self._parameters, self._watermark, self._version)
        for rumor in self._desk.decide(record, view, self._headline, effects.batch):
            self._tell(rumor, effects.batch)
        return effects

    def _headline(self, rumor: Rumor) -> str:
        return self._document(rumor).headline

    def _tell(self, rumor: Rumor, batch: Batch) -> None:
        """Write a rumor's documents, without waiting for more of the log."""
        batch.rumors.append(self._document(rumor))
        if rumor.alert is not None:
            batch.alerts.append(self._alert(rumor.alert, batch.rumors[-1]))

    def apply(self, change: Change) -> Effects:
        """Take up one change of a cluster fold.

        Raises WrongEncoder when the change comes from a fold with another encoder.
        """
        if change.encoder != self._encoder:
            raise WrongEncoder(
                f"a change was made with {change.encoder}, this fold works with {self._encoder}: "
                "let the changes of one encoder run out before changing it, or start a new state"
            )
        if change.sequence <= self._applied.get(change.partition, 0):
            return Effects(watermark=self._watermark)
        self._applied[change.partition] = change.sequence
        self._watermarks[change.partition] = change.watermark
        self._watermark = max(self._watermark, min(self._watermarks.values()))
        self._version += 1

        effects = Effects(watermark=self._watermark, dead=change.dead)
        rows, due = self._micros.add(change.micros)
        self._open_rumors(change, rows)
        posts = self._count(change, rows)
        effects.merged, joined = self._tree.grow(self._micros, due, self._watermark)
        for heir, loser in joined:
            posts += self._absorb(heir, loser)
        effects.assigned = assigned(change, rows, self._micros, self._tree)
        touched = self._tree.rumors.keys() & self._micros.rumor[rows].tolist()
        self._dirty |= touched
        measure([self._tree.rumors[n] for n in touched], self._micros)
        effects.raised = self._raise(touched)
        effects.closed = self._age(change.aged)
        effects.batch = self._write(last_of_each(posts))
        return effects

    def _open_rumors(self, change: Change, rows: np.ndarray) -> None:
        """A micro-cluster not known yet starts as a rumor of its own, named by its first post."""
        new = set(rows[self._micros.rumor[rows] < 0].tolist())
        if not new:
            return
        for at, micro in enumerate(change.rows.micro.tolist()):
            row = int(rows[micro]) if micro >= 0 else -1
            if row in new:
                new.remove(row)
                name = rumor_id(change.rows.source[at], change.rows.id[at])
                rumor = self._tree.open(name, int(change.rows.created_at[at]))
                self._micros.rumor[row] = self._micros.event[row] = rumor.number

    def _count(self, change: Change, rows: np.ndarray) -> list[PostDocument]:
        """Add the change's posts to their rumors; returns documents of those that are indexed."""
        documents: list[PostDocument] = []
        if not len(change.rows):
            return documents
        numbers = self._micros.rumor[rows].tolist()
        count_texts(self._tree.rumors, numbers, change.micros.vectors.tolist())
        for micro, voice, post in folded_posts(change):
            rumor = self._tree.rumors[numbers[micro]]
            rumor.take(post, voice, self._place)
            self._place += 1
            self._newest = post.id
            if rumor.alert is not None and rumor.alert.settled_at is not None:
                hear(rumor.alert, post, voice)
            self._trends.post(post.created_at, post.lang, post.platform)
            if rumor.indexed:
                documents.append(post_document(post, rumor.id, self._version))
            elif len(rumor.posts) >= self._parameters.index_posts:
                documents += self._index(rumor)
        return documents

    def _index(self, rumor: Rumor) -> list[PostDocument]:
        """The rumor crossed the index threshold: what it kept so far is stored."""
        rumor.indexed = True
        return [post_document(p, rumor.id, self._version) for p in rumor.kept]

    def _absorb(self, heir: Rumor, loser: Rumor) -> list[PostDocument]:
        """The younger of two rumors goes into the older one, its alert and posts too."""
        moved = list(loser.kept)
        alert = loser.alert
        if alert is not None and heir.alert is None:
            heir.alert, alert = alert, None
        if loser.indexed or loser.alert is not None:
            document = self._document(loser, open=False, merged_into=heir.id)
            heir_alert = heir.alert.alert_id if heir.alert and alert else None
            self._gone.append(Gone(document, alert, heir_alert))
            self._desk.gone(loser.id, heir.id)
            if alert is not None:
                self._desk.gone(alert.alert_id, heir_alert or "")
        heir.absorb(loser)
        self._shown.pop(loser.number, None)
        self._dirty.discard(loser.number)
        self._dirty.add(heir.number)
        if heir.indexed:
            return [post_document(p, heir.id, self._version) for p in moved]
        if loser.indexed or len(heir.posts) >= self._parameters.index_posts:
            return self._index(heir)
        return []

    def _raise(self, touched: set[int]) -> list[Raised]:
        """Alerts that reach a level for the first time, oldest rumor first."""
        raised = []
        view = View(self._tree, self._micros, self._parameters, self._watermark, self._version)
        for number in sorted(touched):
            rumor = self._tree.rumors[number]
            self._desk.stirs(rumor, view)
            verdict = self._levels.judge(rumor, self._watermark, self._trends.stream)
            if verdict is None or not self._desk.lets(rumor, view):
                continue
            self._levels.raise_alert(rumor, verdict.level, self._watermark, self._newest)
            self._desk.meets(rumor, view)
            document = self._document(rumor)
            raised.append(raised_of(rumor, verdict, document, self._watermark, self._newest))
            language, platform = main_place(rumor)
            self._trends.alert(self._watermark, language, platform, verdict.level)
        return raised

    def _age(self, aged: list[str]) -> list[RumorDocument]:
        """Rumors whose last micro-cluster left the window are closed."""
        closed: list[RumorDocument] = []
        if not aged:
            return closed
        for number in sorted(set(self._micros.drop(aged)) & self._tree.rumors.keys()):
            if self._micros.count_of_rumor(number):
                continue
            rumor = self._tree.rumors[number]
            if rumor.alert is not None:
                rumor.alert.status = "closed"
                note(rumor.alert, "closed", self._watermark, why="its last post left the window")
                self._desk.gone(rumor.id)
                self._desk.gone(rumor.alert.alert_id)
            told = len(rumor.posts) > 1 or rumor.alert is not None
            written = rumor.indexed or rumor.alert is not None
            if told or written:
                document = self._document(rumor, open=False)
                if told:
                    closed.append(document)
                if written:
                    self._gone.append(Gone(document, rumor.alert, None))
            self._tree.close(number)
            self._dirty.discard(number)
            self._shown.pop(number, None)
        return closed

    def _document(
        self, rumor: Rumor, *, open: bool = True, merged_into: str | None = None
    ) -> RumorDocument:
        score, signals = self._levels.score(rumor, self._watermark, self._trends.stream)
        shown = self._shown.get(rumor.number)
        if shown is None:
            shown = self._shown[rumor.number] = Shown()
        shown.follow(rumor.kept)
        rows = self._micros.of_rumor(rumor.number)
        rumor.vector = int8(self._micros.dense_of(rows)) or rumor.vector
        return rumor_document(
            rumor,
            shown,
            event_id=self._tree.event_id(rumor),
            version=self._version,
            watermark=self._watermark,
            micro_clusters=len(rows),
            score=score,
            signals=signals,
            open=open,
            merged_into=merged_into,
        )

    def _alert(
        self, alert: AlertState, rumor: RumorDocument, merged_into: str | None = None
    ) -> AlertDocument:
        return alert_document(
            alert,
            rumor,
            settings_version=self._parameters.settings_version,
            encoder=self._encoder,
            merged_into=merged_into,
        )

    def _write(self, posts: list[PostDocument]) -> Batch:
        """Documents that are due: posts at once, others when enough log or time has passed."""
        version, watermark = self._written
        changes, passed = self._version - version, self._watermark - watermark
        if changes < QUIET_CHANGES and (changes < QUIET_TICKS or passed < QUIET_MS):
            return Batch(posts=posts)
        self._written = (self._version, self._watermark)
        batch = Batch(posts=posts, trends=self._trends.take(self._watermark, self._version))
        batch.claims = self._desk.counted(self._version)
        for document, alert, heir_alert in self._gone:
            batch.rumors.append(msgspec.structs.replace(document, version=self._version))
            if alert is not None:
                batch.alerts.append(self._alert(alert, batch.rumors[-1], heir_alert))
        self._gone = []
        for number in sorted(self._dirty):
            rumor = self._tree.rumors[number]
            if rumor.indexed or rumor.alert is not None:
                document = self._document(rumor)
                batch.rumors.append(document)
                if rumor.alert is not None:
                    batch.alerts.append(self._alert(rumor.alert, document))
        self._dirty = set()
        return batch

    def flush(self) -> Batch:
        """Documents of all that changed since the last write, at the end of a stream."""
        self._written = (-QUIET_CHANGES, NEVER)
        return self._write([])

    def open_documents(self) -> list[RumorDocument]:
        """Every open rumor of two or more posts, or with an alert, as it stands."""
        return [
            self._document(rumor)
            for number, rumor in sorted(self._tree.rumors.items())
            if len(rumor.posts) > 1 or rumor.alert is not None
        ]

    def snapshot(self) -> dict[str, Any]:
        """The whole state, for `streams.codec.pack_state`."""
        return {
            "version": STATE_VERSION,
            "encoder": self._encoder,
            "micros": self._micros.state(),
            "tree": self._tree.state(),
            "trends": self._trends.state(),
            "applied": sorted(self._applied.items()),
            "watermarks": sorted(self._watermarks.items()),
            "watermark": self._watermark,
            "changes": self._version,
            "place": self._place,
            "newest": self._newest,
            "desk": self._desk.state(),
            "dirty": sorted(self._dirty),
            "gone": [msgspec.to_builtins(gone) for gone in self._gone],
            "written": list(self._written),
            "settings": [self._brought, msgspec.to_builtins(self._parameters)],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a snapshot. Raises WrongEncoder, and CodecError for one of another version."""
        check_head(state, fold="alert", version=STATE_VERSION, encoder=self._encoder)
        self._micros.restore(state["micros"])
        self._tree.restore(state["tree"])
        brought, values = state["settings"]
        if brought:  # else the settings of this process's start are in force
            self._settle(values, brought)
        self._micros.event[:] = [self._tree.rumors[n].event for n in self._micros.rumor.tolist()]
        self._shown = {}
        self._trends.restore(state["trends"])
        self._applied = dict(state["applied"])
        self._watermarks = dict(state["watermarks"])
        self._watermark = state["watermark"]
        self._version = state["changes"]
        self._place = state["place"]
        self._newest = state["newest"]
        self._desk.restore(state["desk"])
        self._dirty = set(state["dirty"])
        self._gone = [msgspec.convert(gone, Gone) for gone in state["gone"]]
        self._written = (state["written"][0], state["written"][1])
