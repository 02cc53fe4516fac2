"""The lines of a labelled file, JSON or CSV, plain or .gz, as rows with their labels."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from evaluation.errors import EvaluationError
from streams.validation import FIELDS

KNOWN_COLUMNS = FIELDS | {"cluster", "label"}
"""What the door reads, and the two columns of labels."""


class Row(msgspec.Struct):
    """One labelled post as it was written."""

    id: Any = None
    text: Any = None
    created_at: Any = None
    lang: Any = None
    source: Any = None
    cluster: Any = msgspec.UNSET

    @property
    def label(self) -> str | None:
        """The story's name; None for a post of no story."""
        return None if self.cluster in (None, "", msgspec.UNSET) else str(self.cluster)


_READ = Row.__struct_fields__


@dataclass
class Lines:
    """The readable rows of a file, their 1-based lines, how many lines are not readable, and the
    columns that nobody reads."""

    rows: list[Row]
    numbers: list[int]
    unreadable: int
    unknown_columns: set[str]


def read_lines(path: Path) -> Lines:
    """Read one file. Raises EvaluationError when it holds no readable row or no `cluster` column."""
    content = _content(path)
    is_csv = path.name.removesuffix(".gz").endswith(".csv")
    parsed = _csv_rows(path, content) if is_csv else _json_rows(content)
    found = Lines([], [], 0, set())
    for number, fields in parsed:
        if fields is None or fields.get("id") in (None, ""):
            found.unreadable += 1
        else:
            found.rows.append(Row(**{name: fields[name] for name in _READ if name in fields}))
            found.numbers.append(number)
            if not fields.keys() <= KNOWN_COLUMNS:
                found.unknown_columns |= fields.keys() - KNOWN_COLUMNS
    if not found.rows:
        raise EvaluationError(
            f"{path.name}: no readable labelled post; expected JSON lines or CSV with the columns "
            "id, text, created_at and cluster"
        )
    if all(row.cluster is msgspec.UNSET for row in found.rows):
        raise EvaluationError(
            f"{path.name}: no `cluster` column; add the story's name to each post "
            "(null for a post of no story)"
        )
    return found


def _content(path: Path) -> bytes:
    if str(path) == "-":
        raise EvaluationError("labels cannot be read from standard input; give a file")
    try:
        raw = path.read_bytes()
        content = gzip.decompress(raw) if path.name.endswith(".gz") and raw else raw
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise EvaluationError(
            f"{path.name}: not gzip data, or cut short; compress it again or drop the .gz"
        ) from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise EvaluationError(f"{path}: {reason}; check the path") from None
    content = content.removeprefix(b"\xef\xbb\xbf")
    if not content.strip():
        raise EvaluationError(f"{path.name}: the file is empty; give labelled posts")
    return content


def _json_rows(content: bytes) -> Iterator[tuple[int, dict[str, Any] | None]]:
    decoder = msgspec.json.Decoder(dict[str, Any])
    for number, line in enumerate(content.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            yield number, decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            yield number, None


def _csv_rows(path: Path, content: bytes) -> Iterator[tuple[int, dict[str, Any] | None]]:
    try:
        reader = csv.reader(io.StringIO(content.decode("utf-8"), newline=""))
        header = [name.strip() for name in next(reader, [])]
    except (UnicodeDecodeError, csv.Error) as error:
        raise EvaluationError(f"{path.name}: not CSV in UTF-8 ({error}); save it as such") from None
    try:
        for row in reader:
            if row:
                yield reader.line_num, dict(zip(header, row, strict=False))
    except csv.Error as error:
        raise EvaluationError(f"{path.name}: {error} near line {reader.line_num}") from None
