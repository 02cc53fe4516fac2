"""Labelled posts: which post belongs to which story.

A labelled file is an input file of `tindon replay` with one more column, `cluster`: the name of the
story, or null for a post that belongs to none (chatter). The same label in two files given together
is the same story.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from evaluation.errors import EvaluationError
from evaluation.gold_lines import Row, read_lines

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

# A number this large read as seconds would lie after the year 5100: it is milliseconds.
EPOCH_MS_FROM = 1e11
# `--assume-rate N` starts its steady times here (contract of `tindon replay`).
ASSUMED_START = datetime(2020, 1, 1, tzinfo=UTC).timestamp()
UNKNOWN_LANGUAGE = "und"


@dataclass(frozen=True)
class GoldFile:
    """One labelled file: its name without folders, its readable rows, its unreadable lines, and the
    columns that neither the door nor the evaluation reads."""

    name: str
    posts: int
    unreadable: int
    unknown_columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Gold:
    """Labelled posts in file order, each once; every array and list has one entry a row.

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
    repeated: int = 0  # ids that came more than once in their source: the first row stands
    relabelled: int = 0  # those of them that came with another label

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
    rows: list[Row] = []
    lines: list[int] = []
    file_of: list[int] = []
    default_source: list[str] = []
    for number, path in enumerate(map(Path, paths)):
        found = read_lines(path)
        unknown = tuple(sorted(found.unknown_columns))
        files.append(GoldFile(path.name, len(found.rows), found.unreadable, unknown))
        rows += found.rows
        lines += found.numbers
        file_of += [number] * len(found.rows)
        default_source += [path.name.split(".")[0]] * len(found.rows)
    if not files:
        raise EvaluationError("no labelled file was given; name at least one")

    time = np.array([epoch_seconds(r.created_at) for r in rows], dtype=np.float64)
    if assume_rate is not None:
        timeless = np.flatnonzero(np.isnan(time))
        time[timeless] = ASSUMED_START + np.arange(len(timeless)) * (3600.0 / assume_rate)
    keys = [
        (str(r.source) if r.source else s, str(r.id))
        for r, s in zip(rows, default_source, strict=True)
    ]
    kept, repeated, relabelled = _each_once(keys, [r.label for r in rows])
    rows = [rows[i] for i in kept]
    labels = [r.label for r in rows]
    stories = tuple(sorted({label for label in labels if label is not None}))
    _check_stories(files, labels, stories, allow_unlabelled)
    number_of = {name: i for i, name in enumerate(stories)}
    return Gold(
        files=tuple(files),
        stories=stories,
        source=[keys[i][0] for i in kept],
        post_id=[keys[i][1] for i in kept],
        text=[r.text if isinstance(r.text, str) else "" for r in rows],
        language=[r.lang if isinstance(r.lang, str) and r.lang else UNKNOWN_LANGUAGE for r in rows],
        story=np.array([-1 if c is None else number_of[c] for c in labels], dtype=np.int64),
        time=time[kept],
        line=np.array(lines, dtype=np.int64)[kept],
        file=np.array(file_of, dtype=np.int64)[kept],
        repeated=repeated,
        relabelled=relabelled,
    )


def _each_once(
    keys: Sequence[tuple[str, str]], labels: Sequence[str | None]
) -> tuple[list[int], int, int]:
    """The first row of each key; how many keys came again, and how many with another label."""
    first: dict[tuple[str, str], int] = {}
    again: set[tuple[str, str]] = set()
    relabelled: set[tuple[str, str]] = set()
    for row, key in enumerate(keys):
        stands = first.setdefault(key, row)
        if stands != row:
            again.add(key)
            if labels[row] != labels[stands]:
                relabelled.add(key)
    return list(first.values()), len(again), len(relabelled)


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
