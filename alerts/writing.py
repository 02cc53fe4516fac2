"""Which documents are due, and how they are made of what the fold knows."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from alerts.exemplars import Shown
from alerts.parameters import QUIET_CHANGES, QUIET_MS, QUIET_TICKS
from alerts.rumor import AlertState, Rumor
from alerts.shaping import alert_document, rumor_document
from alerts.standing import Standing
from streams.documents import AlertDocument, Batch, PostDocument, RumorDocument
from streams.grid import int8
from streams.time import NEVER


class Gone(NamedTuple):
    """The last documents of a rumor that is no more."""

    rumor: RumorDocument
    alert: AlertState | None
    heir_alert: str | None  # the alert that stands for it from here on


class Writing:
    """Rumors that changed or ended since their documents were last written."""

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self._dirty: set[int] = set()
        self._gone: list[Gone] = []
        self._shown: dict[int, Shown] = {}  # of rumors that were written
        self._written = (0, NEVER)  # version and watermark of the last write

    def changed(self, numbers: set[int]) -> None:
        """Rumors whose documents are due."""
        self._dirty |= numbers

    def drop(self, number: int) -> None:
        """A rumor is no more: nothing of it is due."""
        self._dirty.discard(number)
        self._shown.pop(number, None)

    def ended(self, rumor: RumorDocument, alert: AlertState | None, heir_alert: str | None) -> None:
        """The last documents of a rumor that was merged away or closed; they are due."""
        self._gone.append(Gone(rumor, alert, heir_alert))

    def tell(self, rumor: Rumor, batch: Batch) -> None:
        """Put a rumor's documents into a batch, without waiting for more of the log."""
        batch.rumors.append(self.document(rumor))
        if rumor.alert is not None:
            batch.alerts.append(self._alert(rumor.alert, batch.rumors[-1]))

    def take(self, posts: list[PostDocument]) -> Batch:
        """Documents that are due: posts at once, others when enough log or time has passed."""
        standing = self._standing
        version, watermark = self._written
        changes, passed = standing.version - version, standing.watermark - watermark
        if changes < QUIET_CHANGES and (changes < QUIET_TICKS or passed < QUIET_MS):
            return Batch(posts=posts)
        self._written = (standing.version, standing.watermark)
        batch = Batch(
            posts=posts, trends=standing.trends.take(standing.watermark, standing.version)
        )
        batch.claims = standing.desk.counted(standing.version)
        for document, alert, heir_alert in self._gone:
            batch.rumors.append(msgspec.structs.replace(document, version=standing.version))
            if alert is not None:
                batch.alerts.append(self._alert(alert, batch.rumors[-1], heir_alert))
        self._gone = []
        for number in sorted(self._dirty):
            rumor = standing.tree.rumors[number]
            if rumor.indexed or rumor.alert is not None:
                self.tell(rumor, batch)
        self._dirty = set()
        return batch

    def take_all(self) -> Batch:
        """Documents of all that changed since the last write, at the end of a stream."""
        self._written = (-QUIET_CHANGES, NEVER)
        return self.take([])

    def document(
        self, rumor: Rumor, *, open: bool = True, merged_into: str | None = None
    ) -> RumorDocument:
        """A rumor's document as it stands."""
        standing = self._standing
        score, signals = standing.levels.score(rumor, standing.watermark, standing.trends.stream)
        shown = self._shown.get(rumor.number)
        if shown is None:
            shown = self._shown[rumor.number] = Shown()
        shown.follow(rumor.kept)
        rows = standing.micros.of_rumor(rumor.number)
        rumor.vector = int8(standing.micros.dense_of(rows)) or rumor.vector
        return rumor_document(
            rumor,
            shown,
            event_id=standing.tree.event_id(rumor),
            version=standing.version,
            watermark=standing.watermark,
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
            settings_version=self._standing.parameters.settings_version,
            encoder=self._standing.encoder,
            merged_into=merged_into,
        )

    def state(self) -> dict[str, Any]:
        return {
            "dirty": sorted(self._dirty),
            "gone": [msgspec.to_builtins(gone) for gone in self._gone],
            "written": list(self._written),
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._dirty = set(state["dirty"])
        self._gone = [msgspec.convert(gone, Gone) for gone in state["gone"]]
        self._written = (state["written"][0], state["written"][1])
        self._shown = {}
