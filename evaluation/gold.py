"""Labelled posts: which post belongs to which story.

A labelled file is an input file of `tindon replay` with one more column, `cluster`: the name of the
story, or null for a post that belongs to none (chatter). The same label in two files given together
is the same story.
"""

import csv
import gzip
import io
import unicodedata
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from evaluation.errors import EvaluationError

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

# A number this large read as seconds would lie after the year 5100: it is milliseconds.
EPOCH_MS_FROM = 1e11
# `--assume-rate N` starts its steady times here (contract of `tindon replay`).
ASSUMED_START = datetime(2020, 1, 1, tzinfo=UTC).timestamp()
UNKNOWN_LANGUAGE = "und"


class _Row(msgspec.Struct):
    id: Any = None
    text: Any = None
    created_at: Any = None
    lang: Any = None
    source: Any = None
    cluster: Any = msgspec.UNSET


@dataclass(frozen=True)
class GoldFile:
    """One labelled file: its name without folders, its readable rows, its unreadable lines."""

    name: str
    posts: int
    unreadable: int


@dataclass(frozen=True)
class Gold:
    """Labelled posts in file order; every array and list has one entry a row.

    `story` holds positions in `stories`, -1 for a post of no story. `time` is in seconds since
    1970, NaN where the post has none. `line` is the 1-based line in the file numbered by `file`.
    """

    files: tuple[GoldFile, ...]
    stories: tuple[str, ...]
    source: list[str]
    post_id: list[str]
    text: list[str]
    language: list[str]
    story: IntArray
    time: FloatArray
    line: IntArray
    file: IntArray
    partial: bool = False  # whether posts that are not in it are unknown, instead of chatter

    def __len__(self) -> int:
        return len(self.post_id)

    @property
    def labelled(self) -> npt.NDArray[np.bool_]:
        return self.story >= 0


def load_gold(
    paths: Iterable[str | Path],
    *,
    allow_unlabelled: bool = False,
    assume_rate: float | None = None,
) -> Gold:
    """Read labelled files: JSON lines or CSV, plain or .gz.

    With `allow_unlabelled`, files in which no post has a story are accepted (alerts can be counted
    and listed, clustering cannot be scored). `assume_rate` gives posts without a time the steady
    times of `tindon replay --assume-rate`, in posts per hour.
    Raises EvaluationError for a file that cannot be read, has no `id` or `cluster` column, for
    labels that name one story only, and for no labels at all.
    """
    files: list[GoldFile] = []
    rows: list[_Row] = []
    lines: list[int] = []
    file_of: list[int] = []
    default_source: list[str] = []
    for number, path in enumerate(map(Path, paths)):
        found, found_lines, unreadable = _read_file(path)
        files.append(GoldFile(path.name, len(found), unreadable))
        rows += found
        lines += found_lines
        file_of += [number] * len(found)
        default_source += [path.name.split(".")[0]] * len(found)
    if not files:
        raise EvaluationError("no labelled file was given; name at least one")

    labels = [None if r.cluster in (None, "", msgspec.UNSET) else str(r.cluster) for r in rows]
    stories = tuple(sorted({label for label in labels if label is not None}))
    _check_stories(files, labels, stories, allow_unlabelled)
    number_of = {name: i for i, name in enumerate(stories)}
    time = np.array([epoch_seconds(r.created_at) for r in rows], dtype=np.float64)
    if assume_rate is not None:
        timeless = np.flatnonzero(np.isnan(time))
        time[timeless] = ASSUMED_START + np.arange(len(timeless)) * (3600.0 / assume_rate)
    return Gold(
        files=tuple(files),
        stories=stories,
        source=[
            str(r.source) if r.source else s for r, s in zip(rows, default_source, strict=True)
        ],
        post_id=[str(r.id) for r in rows],
        text=[r.text if isinstance(r.text, str) else "" for r in rows],
        language=[r.lang if isinstance(r.lang, str) and r.lang else UNKNOWN_LANGUAGE for r in rows],
        story=np.array([-1 if c is None else number_of[c] for c in labels], dtype=np.int64),
        time=time,
        line=np.array(lines, dtype=np.int64),
        file=np.array(file_of, dtype=np.int64),
    )


def plain_wording(text: str) -> str:
    """The text as compared for exact repeats: NFC, white space collapsed, case folded."""
    return " ".join(unicodedata.normalize("NFC", text).split()).casefold()


def epoch_seconds(value: object) -> float:
    """Seconds since 1970 of an ISO 8601 time with offset or an epoch in s or ms; NaN if neither."""
    if isinstance(value, bool) or value is None:
        return float("nan")
    if isinstance(value, int | float):
        return value / 1000.0 if abs(value) >= EPOCH_MS_FROM else float(value)
    try:
        parsed = datetime.fromisoformat(str(value).strip())
    except ValueError:
        try:
            return epoch_seconds(float(str(value)))  # a CSV column of epochs
        except ValueError:
            return float("nan")
    # Without an offset the moment is not known; `tindon replay` does not fold such a post either.
    return parsed.timestamp() if parsed.tzinfo is not None else float("nan")


def _check_stories(
    files: Sequence[GoldFile],
    labels: Sequence[str | None],
    stories: Sequence[str],
    allow_unlabelled: bool,
) -> None:
    names = ", ".join(f.name for f in files)
    labelled = sum(label is not None for label in labels)
    if not stories and not allow_unlabelled:
        raise EvaluationError(
            f"{names}: none of {len(labels)} posts has a story in `cluster`, so there is nothing "
            "to score; label some posts, or use `tindon replay` to see rumors and alerts"
        )
    if len(stories) == 1:
        raise EvaluationError(
            f"{names}: all {labelled} labelled posts belong to one story ({stories[0]!r}); "
            "scoring needs at least two stories, add posts of another"
        )


def _read_file(path: Path) -> tuple[list[_Row], list[int], int]:
    """Rows, their 1-based lines, and how many lines could not be read."""
    content = _content(path)
    is_csv = path.name.removesuffix(".gz").endswith(".csv")
    parsed = _csv_rows(path, content) if is_csv else _json_rows(content)
    rows: list[_Row] = []
    lines: list[int] = []
    unreadable = 0
    for line, row in parsed:
        if row is None or row.id in (None, ""):
            unreadable += 1
        else:
            rows.append(row)
            lines.append(line)
    if not rows:
        raise EvaluationError(
            f"{path.name}: no readable labelled post; expected JSON lines or CSV with the columns "
            "id, text, created_at and cluster"
        )
    if all(row.cluster is msgspec.UNSET for row in rows):
        raise EvaluationError(
            f"{path.name}: no `cluster` column; add the story's name to each post "
            "(null for a post of no story)"
        )
    return rows, lines, unreadable


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


def _json_rows(content: bytes) -> Iterator[tuple[int, _Row | None]]:
    decoder = msgspec.json.Decoder(_Row)
    for number, line in enumerate(content.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            yield number, decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            yield number, None


def _csv_rows(path: Path, content: bytes) -> Iterator[tuple[int, _Row | None]]:
    try:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""))
        columns = reader.fieldnames or ()
    except (UnicodeDecodeError, csv.Error) as error:
        raise EvaluationError(f"{path.name}: not CSV in UTF-8 ({error}); save it as such") from None
    known = [name for name in _Row.__struct_fields__ if name in columns]
    try:
        for row in reader:
            yield reader.line_num, _Row(**{name: row[name] for name in known})
    except csv.Error as error:
        raise EvaluationError(f"{path.name}: {error} near line {reader.line_num}") from None
