"""Which documents are due, and how they are made of what the fold knows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from alerts.exemplars import Shown, ShownOfAlert
from alerts.parameters import AT_ONCE, COVERS_SHOWN, QUIET_CHANGES, QUIET_MS, QUIET_TICKS
from alerts.rumor import AlertState, Rumor
from alerts.shaping import alert_document, rumor_document
from alerts.standing import Standing
from alerts.stream import Stream
from streams.documents import AlertDocument, Batch, RumorDocument
from streams.grid import int8
from streams.time import NEVER


class Gone(NamedTuple):
    """The last documents of a rumor that is no more."""

    rumor: RumorDocument
    alert: AlertState | None
    heir_alert: str | None  # the alert that stands for it from here on


class Due(NamedTuple):
    """Where in the log a rumor's documents fell due, and what they say that is not the rumor's own."""

    version: int
    watermark: int
    stream: Stream
    event_id: str


class Writing:
    """Rumors that changed or ended since their documents were last written.

    Documents say how things stood when they fell due. They may be made later, because until then
    the rumor has not changed: one that changes first has newer documents, and these are never made.
    """

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self._dirty: dict[int, None] = {}  # in the order in which they changed first
        self._news: set[int] = set()  # of these
        self._gone: list[Gone] = []
        # Empty but while documents wait for more of the log:
        self._due: dict[int, Due] = {}  # of rumors that have not changed since
        self._owed: set[int] = set()  # rumors that fell due and changed since
        self._shown: dict[int, Shown] = {}  # of rumors that were written
        self._written = (0, NEVER)  # version and watermark of the last write

    def changed(self, numbers: Iterable[int], *, news: bool = False) -> None:
        """Rumors whose documents will be due: with the next ones when it is news, else in their turn."""
        for number in sorted(numbers):
            self._dirty.setdefault(number)
            if news:
                self._news.add(number)
            if self._due.pop(number, None) is not None:
                self._owed.add(number)

    def drop(self, number: int) -> None:
        """A rumor is no more: nothing of it is due."""
        self._dirty.pop(number, None)
        self._news.discard(number)
        self._due.pop(number, None)
        self._owed.discard(number)
        self._shown.pop(number, None)

    def ended(self, rumor: RumorDocument, alert: AlertState | None, heir_alert: str | None) -> None:
        """The last documents of a rumor that was merged away or closed; they are due."""
        self._gone.append(Gone(rumor, alert, heir_alert))

    def reshaped(self, number: int) -> None:
        """Posts were taken out of a rumor: what it shows is chosen anew."""
        self._shown.pop(number, None)

    def tell(self, rumor: Rumor, batch: Batch) -> None:
        """Put a rumor's documents into a batch, without waiting for more of the log."""
        self._due.pop(rumor.number, None)
        self._put(rumor, self.document(rumor), batch)

    def tell_ended(self, batch: Batch) -> None:
        """Put the last documents of rumors that are no more into a batch."""
        for document, alert, heir_alert in self._gone:
            batch.rumors.append(msgspec.structs.replace(document, version=self._standing.version))
            if alert is not None:
                batch.alerts.append(self._alert(alert, batch.rumors[-1], heir_alert))
        self._gone = []

    def take(self, batch: Batch, *, more: bool = False, most: int = AT_ONCE) -> None:
        """Put documents into the batch, if they are due: when enough log or time has passed.

        With `more` those of rumors that still stand wait for what the next records bring, or for
        `settle_all`. `most`: rumors that fall due besides the news.
        """
        standing = self._standing
        version, watermark = self._written
        changes, passed = standing.version - version, standing.watermark - watermark
        if changes >= QUIET_CHANGES or (changes >= QUIET_TICKS and passed >= QUIET_MS):
            self._fall_due(batch, most)
        if not more:
            self.settle_all(batch)

    def _fall_due(self, batch: Batch, most: int) -> None:
        standing = self._standing
        self._written = (standing.version, standing.watermark)
        batch.trends = standing.trends.take(standing.watermark, standing.version)
        batch.claims = standing.desk.counted(standing.version)
        self.tell_ended(batch)
        if written := self._turn(most):
            stream = standing.trends.stream.copy()
            for rumor in written:
                self._due[rumor.number] = Due(
                    standing.version, standing.watermark, stream, standing.tree.event_id(rumor)
                )
            self._owed -= self._due.keys()

    def _turn(self, most: int) -> list[Rumor]:
        """Rumors of which there is news, and of the others those that wait longest; the rest waits on."""
        turn: list[Rumor] = []
        waiting: dict[int, None] = {}
        for number in self._dirty:
            rumor = self._standing.tree.rumors[number]
            if not rumor.indexed and rumor.alert is None:
                continue  # nothing of it is stored yet
            if number in self._news:
                turn.append(rumor)
            elif most > 0:
                most -= 1
                turn.append(rumor)
            else:
                waiting[number] = None
        self._dirty, self._news = waiting, set()
        return turn

    @property
    def waiting(self) -> bool:
        """Whether documents wait for more of the log."""
        return bool(self._due or self._owed)

    def settle_all(self, batch: Batch) -> None:
        """Make the documents that waited for more of the log."""
        self.settle(set(self._due), batch)
        for number in sorted(self._owed):
            self.tell(self._standing.tree.rumors[number], batch)
        self._owed = set()

    def settle(self, numbers: set[int], batch: Batch) -> None:
        """Make the documents of these rumors that fell due."""
        for number in sorted(self._due.keys() & numbers):
            rumor = self._standing.tree.rumors[number]
            self._put(rumor, self.document(rumor, due=self._due.pop(number)), batch)

    def _put(self, rumor: Rumor, document: RumorDocument, batch: Batch) -> None:
        batch.rumors.append(document)
        if rumor.alert is not None:
            rumors = self._standing.tree.rumors
            covers = [
                rumors[number].id
                for number in self._standing.gate.covered(rumor.number)[-COVERS_SHOWN:]
            ]
            batch.alerts.append(self._alert(rumor.alert, document, covers=covers))

    def take_all(self, batch: Batch) -> None:
        """Documents of all that changed since the last write, at the end of a stream."""
        self._written = (-QUIET_CHANGES, NEVER)
        self.take(batch, most=len(self._dirty))

    def document(
        self,
        rumor: Rumor,
        *,
        due: Due | None = None,
        open: bool = True,
        merged_into: str | None = None,
    ) -> RumorDocument:
        """A rumor's document, as it stood when it fell due or as it stands."""
        standing = self._standing
        if due is None:
            stream, event_id = standing.trends.stream, standing.tree.event_id(rumor)
            due = Due(standing.version, standing.watermark, stream, event_id)
        score, signals = standing.levels.score(rumor, due.watermark, due.stream)
        shown = self._shown.get(rumor.number)
        kind = Shown if rumor.alert is None else ShownOfAlert
        if type(shown) is not kind:
            shown = self._shown[rumor.number] = kind()
        shown.follow(rumor.kept)
        rows = standing.micros.of_rumor(rumor.number)
        above = standing.gate.root(rumor.number)
        root = None if above is None else standing.tree.rumors.get(above)
        return rumor_document(
            rumor,
            shown,
            event_id=due.event_id,
            version=due.version,
            watermark=due.watermark,
            micro_clusters=len(rows),
            vector=int8(standing.micros.dense_of(rows)) or rumor.vector,
            score=score,
            signals=signals,
            open=open,
            merged_into=merged_into,
            covered_by=root.alert.alert_id if root is not None and root.alert else None,
            waiting_since=standing.gate.since(rumor.number),
        )

    def _alert(
        self,
        alert: AlertState,
        rumor: RumorDocument,
        merged_into: str | None = None,
        covers: list[str] | None = None,
    ) -> AlertDocument:
        return alert_document(
            alert,
            rumor,
            settings_version=self._standing.parameters.settings_version,
            encoder=self._standing.encoder,
            merged_into=merged_into,
            covers=covers or [],
        )

    def state(self) -> dict[str, Any]:
        return {
            "dirty": list(self._dirty),
            "news": sorted(self._news),
            "gone": [msgspec.to_builtins(gone) for gone in self._gone],
            "written": list(self._written),
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._dirty = dict.fromkeys(state["dirty"])
        self._news = set(state["news"])
        self._gone = [msgspec.convert(gone, Gone) for gone in state["gone"]]
        self._written = (state["written"][0], state["written"][1])
        self._due, self._owed = {}, set()
        self._shown = {}
