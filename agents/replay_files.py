"""The files of a replay: one line per post, alert and rumor, the dead, and a summary.

They hold no wall time and no path but the summary's duration: a second run gives the same bytes.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import IO, Any, NamedTuple, Protocol

import msgspec

from agents.told import Progress, Results
from streams.documents import RumorDocument
from streams.effects import Moved, Raised
from streams.records import Dead, Outcome

SCHEMA = 1
LINES = 1_000  # written at a time
SUMMARY = "summary.json"
NAMES = ("assignments.jsonl", "alerts.jsonl", "rumors.jsonl", "dead.jsonl", SUMMARY)

_line = msgspec.json.Encoder().encode
_lines = msgspec.json.Encoder().encode_lines
_OUTCOMES = {int(outcome): outcome.name.lower() for outcome in Outcome}


class Road(Protocol):
    """What a road left behind: the embedded one in its database, the one on Kafka in its topics."""

    def results(self) -> Iterable[Results]:
        """What the folds said, in order."""

    @property
    def inputs(self) -> Iterable[str]:
        """Where the posts that are not dead came from, in folded order."""


class Totals(NamedTuple):
    """What the summary needs besides the log."""

    progress: Progress
    open_rumors: list[RumorDocument]
    wall_s: float
    peak_rss_bytes: int  # of all processes of the road
    settings_sha256: str
    encoder: str


class Heirs:
    """Which id answers for a rumor or an event in the end."""

    def __init__(self) -> None:
        self._heir: dict[str, str] = {}

    def note(self, loser: str, heir: str) -> None:
        self._heir[loser] = heir

    def of(self, name: str) -> str:
        end = self._heir.get(name)
        if end is None:
            return name
        while end in self._heir:
            end = self._heir[end]
        while name != end:  # shorten the way for the next who asks
            self._heir[name], name = end, self._heir[name]
        return end


def iso(ms: int) -> str:
    """ISO 8601 in UTC with milliseconds."""
    moment = datetime.fromtimestamp(ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}Z"


def write_files(road: Road, out: Path, totals: Totals) -> dict[str, Any]:
    """Write all files of a finished replay; returns the summary."""
    heirs = Heirs()
    dead: list[Dead] = []
    raised: list[Raised] = []
    moved: dict[tuple[str, str], Moved] = {}
    for result in road.results():
        for merged in result.merged:
            heirs.note(merged.loser, merged.heir)
        moved |= {(one.post.source, one.post.id): one for one in result.moved}
        dead += result.dead
        raised += result.raised
    raised.sort(key=lambda r: (r.raised_at, r.alert_id))
    names: dict[str, set[str]] = {"rumor": set(), "event": set()}
    with tempfile.TemporaryFile(dir=out) as file:
        rumors = _Rumors(file, heirs)
        _write(out / "assignments.jsonl", _assignments(road, dead, heirs, moved, names, rumors))
        rumors.add(totals.open_rumors)
        _write(out / "rumors.jsonl", rumors.in_order())
    _write(out / "alerts.jsonl", (_alert(r, heirs) for r in raised))
    _write(out / "dead.jsonl", (msgspec.to_builtins(d) for d in dead))
    summary = _summary(totals, dead, len(names["rumor"]), len(names["event"]))
    _write(out / SUMMARY, [summary])
    return summary


class _Rumors:
    """The lines of `rumors.jsonl`, on disk until all are known: a long stream has more than fit in memory."""

    def __init__(self, file: IO[bytes], heirs: Heirs) -> None:
        self._file = file
        self._heirs = heirs
        self._places: list[tuple[int, str, int, int]] = []  # first post, id, offset, bytes

    def add(self, rumors: Iterable[RumorDocument]) -> None:
        for rumor in rumors:
            line = _line(_rumor(rumor, self._heirs))
            at = self._file.tell()
            self._places.append((rumor.first_post_at, rumor.rumor_id, at, len(line)))
            self._file.write(line)

    def in_order(self) -> Iterator[msgspec.Raw]:
        """By first post, then id."""
        for _, _, at, size in sorted(self._places):
            self._file.seek(at)
            yield msgspec.Raw(self._file.read(size))


class _Line(msgspec.Struct):
    """A line of `assignments.jsonl`."""

    seq: int
    input: str
    source: str
    post_id: str | None
    outcome: str
    reason: str | None
    duplicate_of: str | None
    micro_cluster_id: str | None
    first_rumor_id: str | None
    rumor_id: str | None
    event_id: str | None


def _assignments(
    road: Road,
    dead: list[Dead],
    heirs: Heirs,
    moved: dict[tuple[str, str], Moved],
    names: dict[str, set[str]],
    closed: _Rumors,
) -> Iterator[_Line]:
    """Folded order first, the dead last in input order. Rumors that closed on the way go to `closed`."""
    inputs = iter(road.inputs)
    seq = 0
    late = int(Outcome.LATE)
    of, rumors, events = heirs.of, names["rumor"], names["event"]
    for result in road.results():
        closed.add(result.closed)
        for a in result.assigned:
            split = moved.get((a.source, a.post_id)) if moved and a.rumor else None
            rumor = of(split.rumor if split else a.rumor) if a.rumor else None
            event = of(a.event) if a.event else None
            if rumor and event:
                rumors.add(rumor)
                events.add(event)
            yield _Line(
                seq,
                next(inputs),
                a.source,
                a.post_id,
                _OUTCOMES[a.outcome],
                "late" if a.outcome == late else None,
                a.duplicate_of,
                split.micro if split else a.micro,
                a.rumor,
                rumor,
                event,
            )
            seq += 1
    for d in dead:
        yield _Line(seq, d.input, d.source, d.id, "dead", d.reason, None, None, None, None, None)
        seq += 1


def _alert(raised: Raised, heirs: Heirs) -> dict[str, Any]:
    return {
        "alert_id": raised.alert_id,
        "level": raised.level,
        "raised_at": iso(raised.raised_at),
        "raised_by": raised.raised_by,
        "rumor_id": raised.rumor_id,
        "final_rumor_id": heirs.of(raised.rumor_id),
        "first_post_at": iso(raised.first_post_at),
        "post_ids": raised.post_ids,
        "headline": raised.headline,
        "score": raised.score,
        "signals": msgspec.to_builtins(raised.signals),
        "category": raised.category,
        "languages": raised.languages,
    }


def _rumor(rumor: RumorDocument, heirs: Heirs) -> dict[str, Any]:
    line: dict[str, Any] = msgspec.to_builtins(rumor)
    del line["version"], line["merged_into"]
    line["event_id"] = heirs.of(rumor.event_id)
    for name in ("born_at", "first_post_at", "last_post_at", "updated_at"):
        line[name] = iso(line[name])
    if line["waiting_since"] is not None:
        line["waiting_since"] = iso(line["waiting_since"])
    return line


def _summary(totals: Totals, dead: list[Dead], rumors: int, events: int) -> dict[str, Any]:
    p = totals.progress
    reasons: dict[str, int] = {}
    for d in dead:
        reasons[d.reason] = reasons.get(d.reason, 0) + 1
    return {
        "schema": SCHEMA,
        "posts_in": p.posts_in,
        "folded": p.folded,
        "duplicates": p.duplicates,
        "late": p.late,
        "dead": p.dead,
        "dead_by_reason": dict(sorted(reasons.items())),
        "rumors": rumors,
        "events": events,
        "alerts": {"suggest": p.suggest, "confirm": p.confirm},
        "wall_s": round(totals.wall_s, 3),
        "posts_per_s": round(p.posts_in / totals.wall_s, 1) if totals.wall_s > 0 else 0.0,
        "peak_rss_bytes": totals.peak_rss_bytes,
        "settings_sha256": totals.settings_sha256,
        "encoder": totals.encoder,
        "tindon_version": version("tindon"),
    }


def _write(path: Path, lines: Iterable[object]) -> None:
    """A whole file or the earlier one: never half of it."""
    draft = path.with_name(path.name + ".new")
    iterator = iter(lines)
    with open(draft, "wb") as file:
        while portion := list(islice(iterator, LINES)):
            file.write(_lines(portion))
    os.replace(draft, path)
