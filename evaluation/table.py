"""Gold and replay joined into one table: a row for every input record, in folded order."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evaluation.errors import EvaluationError
from evaluation.gold import Gold, plain_wording
from evaluation.metrics import Labels, Mask, factorise
from evaluation.replayed import Assignment, Replayed


@dataclass(frozen=True)
class Table:
    """n records in folded order (dead ones after them, posts that the replay lacks last).

    Group columns (`micro`, `arrival`, `rumor`, `event`) are labels in which every post that was
    not folded stands alone. `story` is -1 for a post of no story, and for a record whose post another
    record stands for. `repeat` marks a post whose plain
    wording an earlier record of the same file had. `time` is event time in seconds, NaN if unknown.
    `arrived` is false for dead and lacking posts.
    """

    stories: tuple[str, ...]
    source: list[str]
    post_id: list[str]
    text: list[str]
    language: npt.NDArray[np.str_]
    story: Labels
    story_size: Labels
    time: npt.NDArray[np.float64]
    repeat: Mask
    folded: Mask
    arrived: Mask
    micro: Labels
    arrival: Labels
    rumor: Labels
    event: Labels
    rumor_id: list[str | None]
    lacking: int
    unknown: int
    again: int = 0  # records of a post that another record stands for
    judged: Mask | None = None  # what labels speak of; None: everything

    def __len__(self) -> int:
        return len(self.post_id)

    @property
    def labelled(self) -> Mask:
        return self.story >= 0


def join(gold: Gold, replayed: Replayed) -> Table:
    """Match each replayed record with its labelled post by (source, id).

    Of the records of one post the folded one stands for it, else the first. Records without a labelled
    post (`unknown`) belong to no story; labelled posts without a record (`lacking`) stand alone, which
    costs recall. Raises EvaluationError if nothing matches.
    """
    gold_row = _gold_rows(gold, replayed.assignments)
    if len(gold_row) and not (gold_row >= 0).any():
        raise EvaluationError(
            f"no replayed post is in {', '.join(f.name for f in gold.files)}; "
            "give the files that were replayed"
        )
    kept = [
        i for i, a in enumerate(replayed.assignments) if a.post_id is not None or gold_row[i] >= 0
    ]
    kept.sort(key=lambda i: replayed.assignments[i].seq)
    records: list[Assignment | None] = [replayed.assignments[i] for i in kept]
    rows = gold_row[kept]
    again = _again(rows, records)
    lacking = np.setdiff1d(np.arange(len(gold)), rows)
    records += [None] * len(lacking)
    rows = np.concatenate([rows, lacking]).astype(np.int64)
    again = np.concatenate([again, np.zeros(len(lacking), dtype=bool)])

    known = rows >= 0
    story = np.where(known & ~again, gold.story[rows], -1)
    text = [gold.text[r] if r >= 0 else "" for r in rows]
    wordings = [
        plain_wording(t) if stands else None for t, stands in zip(text, known & ~again, strict=True)
    ]
    wording = factorise(wordings)
    folded = np.array([a is not None and a.outcome == "folded" for a in records], dtype=bool)

    def group(column: str) -> Labels:
        return factorise([
            getattr(a, column) if a is not None and alive else None
            for a, alive in zip(records, folded, strict=True)
        ])  # fmt: skip

    return Table(
        stories=gold.stories,
        source=[a.source if a else gold.source[r] for a, r in zip(records, rows, strict=True)],
        post_id=[
            a.post_id or "" if a else gold.post_id[r] for a, r in zip(records, rows, strict=True)
        ],
        text=text,
        language=np.array([gold.language[r] if r >= 0 else "und" for r in rows], dtype=np.str_),
        story=story,
        story_size=np.bincount(story[story >= 0], minlength=len(gold.stories)),
        time=np.where(known, gold.time[rows], np.nan),
        repeat=_repeats(wording, np.where(known, gold.file[rows], -1)),
        folded=folded,
        arrived=np.array([a is not None and a.outcome != "dead" for a in records], dtype=bool),
        micro=group("micro_cluster_id"),
        arrival=group("first_rumor_id"),
        rumor=group("rumor_id"),
        event=group("event_id"),
        rumor_id=[a.rumor_id if a else None for a in records],
        lacking=len(lacking),
        unknown=int((~known).sum()),
        again=int(again.sum()),
        judged=known if gold.partial else None,
    )


def _gold_rows(gold: Gold, assignments: list[Assignment]) -> Labels:
    """For each assignment the row of its labelled post, -1 for none.

    A dead record whose id could not be used is matched by its `input` ("file name:line").
    """
    row_of = {key: row for row, key in enumerate(zip(gold.source, gold.post_id, strict=True))}
    names = [one.name for one in gold.files]
    places = zip(gold.file.tolist(), gold.line.tolist(), strict=True)
    at_line = {f"{names[file]}:{line}": row for row, (file, line) in enumerate(places)}
    rows = [
        at_line.get(a.input, -1) if a.post_id is None else row_of.get((a.source, a.post_id), -1)
        for a in assignments
    ]
    return np.array(rows, dtype=np.int64)


def _again(rows: Labels, records: list[Assignment | None]) -> Mask:
    """True for each record of a labelled post that another record stands for."""
    stands: dict[int, int] = {}
    again = np.zeros(len(rows), dtype=bool)
    for place, (row, record) in enumerate(zip(rows.tolist(), records, strict=True)):
        if row < 0:
            continue
        other = stands.setdefault(row, place)
        if other != place:
            folded = record is not None and record.outcome == "folded"
            again[other if folded else place] = True
            stands[row] = place if folded else other
    return again


def _repeats(wording: Labels, file: Labels) -> Mask:
    """True for each record whose (file, wording) an earlier record has."""
    key = wording * (int(file.max(initial=0)) + 2) + file
    _, first = np.unique(key, return_index=True)
    repeat = np.ones(len(key), dtype=bool)
    repeat[first] = False
    return repeat
