"""One combination of settings folded over shared frames: the log of changes once for each setting of
the cluster fold, then one alert fold for each combination.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from agents.replay_files import Heirs, iso
from agents.stages import alert_fold, cluster_fold, cluster_parameters
from config import Settings
from embeddings.door import Door
from evaluation.replayed import AlertLine, Assignment
from evaluation.tuning.frames import read, write
from streams.effects import Assigned, Raised
from streams.records import Change, Frame, Outcome


@dataclass
class Told:
    """What the folds said: posts in folded order, alerts in the order in which they were raised.

    `early_rumor` and `early_event` are the ids of the first posts as they stood when `split` posts had
    come in; `early_alerts` how many alert lines there were by then.
    """

    assigned: list[Assigned] = field(default_factory=list)
    rumor: list[str | None] = field(default_factory=list)
    event: list[str | None] = field(default_factory=list)
    early_rumor: list[str | None] = field(default_factory=list)
    early_event: list[str | None] = field(default_factory=list)
    alerts: list[AlertLine] = field(default_factory=list)
    early_alerts: int = 0

    def assignments(self) -> list[Assignment]:
        return [
            Assignment(
                seq=number,
                input="",
                source=a.source,
                post_id=a.post_id,
                outcome=Outcome(a.outcome).name.lower(),
                micro_cluster_id=a.micro,
                first_rumor_id=a.rumor,
                rumor_id=self.rumor[number],
                event_id=self.event[number],
            )
            for number, a in enumerate(self.assigned)
        ]


def cluster_key(settings: Settings, door: Door) -> str:
    """Settings with the same key share a log of changes."""
    return repr((cluster_parameters(settings), door.identity))


def changes(frames: Path, settings: Settings, door: Door) -> Iterator[Change]:
    """The log of changes that a cluster fold makes of the frames."""
    fold = cluster_fold(settings, door)
    for frame in read(frames, Frame):
        yield from fold.fold(frame)


def write_changes(frames: Path, settings: Settings, door: Door, to: Path) -> None:
    if not to.is_file():
        write(to, changes(frames, settings, door))


def fold_alerts(log: Iterable[Change], settings: Settings, door: Door, split: int) -> Told:
    """Run the alert fold; what it said, with the ids as they stood after `split` posts."""
    fold, heirs, told = alert_fold(settings, door), Heirs(), Told()
    raised: list[Raised] = []
    for change in log:
        effects = fold.apply(change)
        for merged in effects.merged:
            heirs.note(merged.loser, merged.heir)
        raised += effects.raised
        told.assigned += effects.assigned
        if not told.early_rumor and len(told.assigned) >= split:
            told.early_rumor, told.early_event = _named(told.assigned[:split], heirs)
            told.early_alerts = len(raised)
    told.rumor, told.event = _named(told.assigned, heirs)
    told.alerts = [line_of(one, heirs) for one in raised]
    return told


def _named(assigned: list[Assigned], heirs: Heirs) -> tuple[list[str | None], list[str | None]]:
    return (
        [heirs.of(a.rumor) if a.rumor else None for a in assigned],
        [heirs.of(a.event) if a.event else None for a in assigned],
    )


def line_of(raised: Raised, heirs: Heirs) -> AlertLine:
    return AlertLine(
        alert_id=raised.alert_id,
        level=raised.level,
        raised_at=iso(raised.raised_at),
        raised_by=raised.raised_by,
        rumor_id=raised.rumor_id,
        post_ids=raised.post_ids,
        score=raised.score,
        final_rumor_id=heirs.of(raised.rumor_id),
        headline=raised.headline,
        category=raised.category,
    )
