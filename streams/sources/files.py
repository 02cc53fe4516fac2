"""Posts out of files: JSON lines and CSV, gzip or not, and standard input.

A file that cannot be used at all is a `FileError` before anything is processed; a bad record inside
a good file is an `InputRecord` with its reason, so that the posts beside it are processed.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from streams.sources.lines import STDIN, FileError, Line, LineFile
from streams.sources.ordering import Checked, Sorted
from streams.validation import InputRecord, IntakeRules, Invalid, check, parse

__all__ = [
    "KEPT_OF_TOO_LARGE",
    "STDIN",
    "FileError",
    "Reading",
    "read_files",
    "source_of",
]

ASSUMED_FROM = 1_577_836_800_000  # 2020-01-01T00:00:00Z, ms: where --assume-rate begins
HOUR_MS = 3_600_000
KEPT_OF_TOO_LARGE = 8192  # bytes of an oversized line that reach the dead letter


class Reading:
    """The records of some files, in the order in which they are to be processed.

    Iterate once, over the records or over `checked`. `blank_lines` counts the lines skipped as empty;
    final when the iteration is over.
    """

    def __init__(
        self, records: Iterable[InputRecord] | Sorted, rules: IntakeRules, counter: _Blank
    ) -> None:
        self._records = records
        self._rules = rules
        self._counter = counter

    def __iter__(self) -> Iterator[InputRecord]:
        return (record for record, _ in self.checked())

    def checked(self) -> Iterator[Checked]:
        """The records, each with what a check of it says."""
        if isinstance(self._records, Sorted):
            yield from self._records
        else:
            for record in self._records:
                yield record, check(record, self._rules)

    @property
    def total(self) -> int | None:
        """How many records there are; None while they arrive unsorted."""
        return len(self._records) if isinstance(self._records, Sorted) else None

    @property
    def blank_lines(self) -> int:
        return self._counter.lines


class _Blank:
    lines = 0


def read_files(
    paths: Iterable[str | Path],
    *,
    as_is: bool = False,
    assume_rate: float | None = None,
    rules: IntakeRules,
    stdin: BinaryIO | None = None,
) -> Reading:
    """Read posts from files; "-" is standard input.

    Sorted by (created_at, source, id) bytewise, invalid records after all others in input order;
    with `as_is` or standard input in the order of the input, as it arrives. `assume_rate` gives the
    posts without time steady times, that many an hour from 2020-01-01Z, counted over all files in
    input order. Raises FileError for what cannot be read; in the unsorted case part of it during
    the iteration.
    """
    names = [str(path) for path in paths]
    if not names:
        raise FileError("no file given: name at least one, or - for standard input")
    if assume_rate is not None and not 0 < assume_rate <= HOUR_MS * 1000:
        raise FileError(
            f"--assume-rate {assume_rate:g} is not usable: give the posts per hour, more than 0"
        )
    _refuse_same_stem(names)
    counter = _Blank()
    files = [_PostFile(name, rules, counter, stdin) for name in names]
    try:
        for file in files:
            file.open()
    except FileError:
        for file in files:
            file.close()
        raise
    records: Iterator[InputRecord] = (
        record for file in files for record in file.records(assume_rate is not None)
    )
    if assume_rate is not None:
        records = _with_times(records, assume_rate)
    if as_is or STDIN in names:
        return Reading(records, rules, counter)
    return Reading(Sorted(records, rules), rules, counter)


def source_of(name: str) -> str:
    """The default source of a file: its name up to the first dot."""
    if name == STDIN:
        return "stdin"
    base = Path(name).name
    return base.split(".", 1)[0] or base.strip(".") or base


def _refuse_same_stem(names: list[str]) -> None:
    seen: dict[str, str] = {}
    for name in names:
        source = source_of(name)
        if source in seen:
            what = "given twice" if seen[source] == name else f"both the source {source!r}"
            raise FileError(
                f"{seen[source]} and {name} are {what}: rename one (a post is its source and id)"
            )
        seen[source] = name


def _with_times(records: Iterable[InputRecord], rate: float) -> Iterator[InputRecord]:
    timeless = 0
    for record in records:
        if record.assumed_at is not None:
            at = ASSUMED_FROM + int(timeless * HOUR_MS / rate)
            record = msgspec.structs.replace(record, assumed_at=at)
            timeless += 1
        yield record


def _is_timeless(raw: bytes) -> bool:
    try:
        fields = parse(raw)
    except (ValueError, RecursionError):
        return False
    return isinstance(fields, dict) and fields.get("created_at") in (None, "")


class _PostFile:
    """The records of one file: JSON lines or CSV."""

    def __init__(
        self, name: str, rules: IntakeRules, blank: _Blank, stdin: BinaryIO | None
    ) -> None:
        self.name = name
        self.source = source_of(name)
        self.rules = rules
        self.blank = blank
        self._file = LineFile(name, rules.max_record_bytes, stdin)
        self.label = self._file.label
        self._csv = False

    def open(self) -> None:
        """Look at the beginning; raises FileError when the whole file is of no use."""
        first = self._file.open()
        self._csv = self._looks_like_csv(first)
        if not self._csv:
            self._refuse_array(first)

    def close(self) -> None:
        self._file.close()

    def records(self, mark_timeless: bool) -> Iterator[InputRecord]:
        """Its records; `mark_timeless` sets `assumed_at` to 0 on those without created_at."""
        found = self._csv_records(mark_timeless) if self._csv else self._line_records()
        try:
            for record in found:
                if mark_timeless and record.unreadable is None and _is_timeless(record.raw):
                    record = msgspec.structs.replace(record, assumed_at=0)
                yield record
        finally:
            self.close()

    def _looks_like_csv(self, first: bytes) -> bool:
        name = self.name.removesuffix(".gz")
        if name.endswith(".csv"):
            return True
        if name.endswith((".jsonl", ".ndjson", ".json")):
            return False
        line = first.lstrip().split(b"\n", 1)[0]
        return not line.startswith((b"{", b"[")) and b"id" in line and b"text" in line

    def _refuse_array(self, first: bytes) -> None:
        head = first.lstrip()
        line = head.split(b"\n", 1)[0].strip()
        if not line.startswith(b"["):
            return
        inner = line[1:].lstrip()
        if not inner or inner.startswith(b"{"):
            raise FileError(
                f"{self.name} is one JSON array: write one object per line (jq -c '.[]' does it)"
            )

    # Lines

    def _line_records(self) -> Iterator[InputRecord]:
        limit = self.rules.max_record_bytes
        label, source = self.label, self.source
        held: Line | None = None  # one behind, since the last line of a broken file is dead
        for item in self._file.lines():
            if held is not None and (record := self._line_record(held, label, source, limit)):
                yield record
            held = item
        if held is None:
            return
        if self._file.broken is None:
            if record := self._line_record(held, label, source, limit):
                yield record
        else:
            yield self._broken_record(held[0], held[1])

    def _line_record(self, item: Line, label: str, source: str, limit: int) -> InputRecord | None:
        number, line, size = item
        line = line.strip(b" \t\r")
        if not line:
            self.blank.lines += 1
            return None
        where = f"{label}:{number}"
        if size > limit + 1:
            detail = f"{size} bytes, at most {limit}: send the text without attachments"
            return self._dead(where, "too_large", detail, line[:KEPT_OF_TOO_LARGE])
        return InputRecord(source=source, input=where, raw=line)

    def _dead(self, where: str, reason: str, detail: str, raw: bytes) -> InputRecord:
        return InputRecord(
            source=self.source,
            input=where,
            raw=raw,
            unreadable=Invalid(reason, detail, self.source),
        )

    def _broken_record(self, number: int, rest: bytes) -> InputRecord:
        detail = f"{self._file.broken}: what comes before is processed; copy the file again"
        return self._dead(
            f"{self.label}:{number}", "truncated_file", detail, rest[:KEPT_OF_TOO_LARGE]
        )

    # CSV

    def _csv_records(self, timeless_allowed: bool) -> Iterator[InputRecord]:
        lines = _CsvLines(self._file.lines(), self.blank)
        rows = csv.reader(lines, strict=True)
        try:
            header = [cell.strip() for cell in next(rows)]
        except csv.Error as error:
            raise FileError(
                f"{self.name}: the header is no CSV ({error}): write the field names in line 1"
            ) from None
        self._check_header(header, timeless_allowed)
        while True:
            lines.begin()
            try:
                row = next(rows)
            except StopIteration:
                break
            except csv.Error as error:
                yield self._bad_row(lines, f"the quotes do not fit ({error})")
                continue
            if not row:
                self.blank.lines += 1
                continue
            if any("\udc80" <= c <= "\udcff" for cell in row for c in cell if not cell.isascii()):
                detail = "the row is not UTF-8: save the data as UTF-8"
                yield self._dead(f"{self.label}:{lines.first}", "not_utf8", detail, lines.raw())
                continue
            if len(row) != len(header):
                yield self._bad_row(lines, f"{len(row)} cells, the header has {len(header)}")
                continue
            fields = {name: cell for name, cell in zip(header, row, strict=True) if cell}
            yield InputRecord(
                source=self.source,
                input=f"{self.label}:{lines.first}",
                raw=msgspec.json.encode(fields),
            )
        if self._file.broken is not None:
            yield self._broken_record(lines.number + 1, b"")

    def _bad_row(self, lines: _CsvLines, what: str) -> InputRecord:
        detail = f"{what}: quote cells that hold commas, quotes or line ends"
        return self._dead(f"{self.label}:{lines.first}", "bad_row", detail, lines.raw())

    def _check_header(self, header: list[str], timeless_allowed: bool) -> None:
        needed = ["id", "text"]
        if not timeless_allowed and self.source not in self.rules.arrival_time_sources:
            needed.append("created_at")
        missing = [name for name in needed if name not in header]
        twice = sorted({name for name in header if header.count(name) > 1})
        if missing:
            found = ", ".join(name[:40] for name in header[:12])
            hint = (
                "separate the columns with commas"
                if len(header) == 1 and ";" in header[0]
                else "name the columns so"
            )
            raise FileError(
                f"{self.name} lacks the columns {', '.join(missing)}; it has {found}: {hint}"
            )
        if twice:
            raise FileError(f"{self.name} has the column {', '.join(twice)} twice: rename one")


class _CsvLines:
    """Lines as text for the csv module; remembers where the row at hand began and what it held."""

    def __init__(self, lines: Iterator[Line], blank: _Blank) -> None:
        self._lines = lines
        self.number = 0  # of the line read last
        self.first = 1  # line where the row at hand begins
        self._held: list[bytes] = []

    def begin(self) -> None:
        self.first = self.number + 1
        self._held = []

    def raw(self) -> bytes:
        return b"\n".join(self._held)[:KEPT_OF_TOO_LARGE]

    def __iter__(self) -> _CsvLines:
        return self

    def __next__(self) -> str:
        self.number, line, _ = next(self._lines)
        self._held.append(line)
        return line.decode("utf-8", "surrogateescape") + "\n"
