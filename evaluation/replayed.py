"""What `tindon replay FILE... --out DIR` left in DIR, read back for scoring."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import msgspec

from evaluation.errors import EvaluationError

OUTCOMES = ("folded", "duplicate", "late", "dead")
LEVELS = ("suggest", "confirm")


class Assignment(msgspec.Struct, frozen=True):
    """One line of assignments.jsonl: what became of one input record."""

    seq: int
    input: str
    source: str
    post_id: str | None
    outcome: str
    reason: str | None = None  # why a record is dead or late
    micro_cluster_id: str | None = None
    first_rumor_id: str | None = None
    rumor_id: str | None = None
    event_id: str | None = None


class AlertLine(msgspec.Struct, frozen=True):
    """One line of alerts.jsonl: an alert reached a level."""

    alert_id: str
    level: str
    raised_at: str
    raised_by: str
    rumor_id: str
    post_ids: list[str]
    score: float
    final_rumor_id: str | None = None
    headline: str | None = None
    category: str | None = None


@dataclass(frozen=True)
class Replayed:
    """The files of one DIR: assignments in their order, alert lines in theirs, the summary."""

    assignments: list[Assignment]
    alerts: list[AlertLine]
    summary: dict[str, Any]


def read_replayed(out_dir: str | Path) -> Replayed:
    """Read assignments.jsonl, alerts.jsonl and summary.json of `out_dir`.

    Raises EvaluationError when one is missing or a line breaks the contract.
    """
    folder = Path(out_dir)
    assignments = _lines(folder / "assignments.jsonl", Assignment)
    for number, row in enumerate(assignments, 1):
        if row.outcome not in OUTCOMES:
            _broken(folder / "assignments.jsonl", number, f"unknown outcome {row.outcome!r}")
        if row.outcome == "folded" and None in (row.first_rumor_id, row.rumor_id, row.event_id):
            _broken(folder / "assignments.jsonl", number, "a folded post without rumor or event")
    alerts = _lines(folder / "alerts.jsonl", AlertLine)
    for number, alert in enumerate(alerts, 1):
        if alert.level not in LEVELS:
            _broken(folder / "alerts.jsonl", number, f"unknown level {alert.level!r}")
    try:
        summary = msgspec.json.decode(_bytes(folder / "summary.json"), type=dict[str, Any])
    except msgspec.DecodeError as error:
        _broken(folder / "summary.json", 1, str(error))
    return Replayed(assignments, alerts, summary)


Line = TypeVar("Line", bound=msgspec.Struct)


def _lines(path: Path, kind: type[Line]) -> list[Line]:
    decoder = msgspec.json.Decoder(kind)
    rows: list[Line] = []
    for number, line in enumerate(_bytes(path).split(b"\n"), 1):
        if line:
            try:
                rows.append(decoder.decode(line))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                _broken(path, number, str(error))
    return rows


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise EvaluationError(
            f"{path}: {reason}; make the folder with `tindon replay FILE --out {path.parent}`"
        ) from None


def _broken(path: Path, number: int, what: str) -> NoReturn:
    raise EvaluationError(f"{path} line {number}: {what}; replay again into an empty folder")
