"""One line for each choice in the folds: what happens without it, all else as shipped.

A choice that is no setting is changed by replacing the part of the fold that makes it, for the run of
one line.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

import msgspec
import numpy as np

import alerts.foreseeing
import alerts.likeness
import alerts.linking
import clusters.fold
from bench.clustering.constructed import across
from bench.clustering.ours import OUT, Grouping, Stream, changes, defaults, grouped, stream
from bench.clustering.parallel import write
from clusters.table import MicroTable
from evaluation.metrics import bcubed

DAY_MS = 86_400_000
FILES = ("rumours_en", "news_vi", "breaking_news", "multilingual")
EVENTS = ("multilingual", "scale_en")
"""Files whose stories are events: there the event level counts."""


class Line:
    """A change of parameters, of parts of the folds, or of both."""

    def __init__(self, name: str, *patches: Callable[[], object], **parameters: float) -> None:
        self.name = name
        self.patches = patches
        self.parameters = parameters


def _centroids(self: MicroTable, row: int, x: np.ndarray) -> bool:
    """`MicroTable.add` with the inverse length of the sum: cosine with the centroid."""
    halved = _add(self, row, x)
    length = float(np.sqrt((self.sums[row].astype(np.float64) ** 2).sum()))
    self._inverse[row] = 1.0 / length if length else 0.0
    return halved


def _no_copies(posts, rows, seen, wordings, alive):
    """`clusters.admission.follow` that lets each copy find its own way."""
    alone = msgspec.structs.replace(posts, wording=np.zeros_like(posts.wording))
    return _follow(alone, rows, seen, wordings, alive)


def _few(value: float) -> tuple[Callable[[], object], ...]:
    return (
        lambda: patch.object(clusters.fold, "FEW", value),
        lambda: patch.object(alerts.likeness, "FEW", value),
    )


_add, _follow = MicroTable.add, clusters.fold.follow
LINES = (
    Line("as shipped"),
    Line("words alone (`cluster.dense_weight` 0)", dense_weight=0.0),
    Line("micro-clusters alone, no merging", macro_threshold=0.99, link_threshold=0.99),
    Line(
        "post against centroid, at its own best (.35)",
        lambda: patch.object(MicroTable, "add", _centroids),
        micro_threshold=0.35,
    ),
    Line(
        "merging by centroids, at its own best (.35)",
        lambda: patch.object(alerts.foreseeing, "LIKENESS", 1.0),
        macro_threshold=0.35,
    ),
    Line(
        "both by centroids, at their own best (.35)",
        lambda: patch.object(MicroTable, "add", _centroids),
        lambda: patch.object(alerts.foreseeing, "LIKENESS", 1.0),
        micro_threshold=0.35,
        macro_threshold=0.35,
    ),
    Line("LIKENESS .3", lambda: patch.object(alerts.foreseeing, "LIKENESS", 0.3)),
    Line("LIKENESS .6", lambda: patch.object(alerts.foreseeing, "LIKENESS", 0.6)),
    Line("copies find their own way and enter the sums",
         lambda: patch.object(clusters.fold, "follow", _no_copies)),
    Line("no links across languages", link_threshold=0.99),
    Line("links by centroids", lambda: patch.object(alerts.linking, "MEANING_LIKENESS", 1.0)),
    Line("few posts judged as many (FEW 0)", *_few(0.0)),
    Line("few posts judged as many, thresholds .02 higher", *_few(0.0),
         micro_threshold=0.32, macro_threshold=0.23),
    Line("FEW .10", *_few(0.10)),
    Line("FEW .20", *_few(0.20)),
    Line("window of 3 days", window_ms=3 * DAY_MS),
    Line("window of 7 days", window_ms=7 * DAY_MS),
    Line("`cluster.micro_threshold` -.05", micro_threshold=0.25),
    Line("`cluster.micro_threshold` +.05", micro_threshold=0.35),
    Line("`alert.macro_threshold` -.05", macro_threshold=0.16),
    Line("`alert.macro_threshold` +.05", macro_threshold=0.26),
    Line("`alert.event_threshold` -.05", event_threshold=0.18),
    Line("`alert.event_threshold` +.05", event_threshold=0.28),
    Line("the former thresholds (.25, .23, event .25)", *_few(0.15),
         micro_threshold=0.25, macro_threshold=0.23, event_threshold=0.25),
    Line("`alert.link_threshold` -.05", link_threshold=0.48),
    Line("`alert.link_threshold` +.05", link_threshold=0.58),
)  # fmt: skip


def ablation(shared: Path, files: tuple[str, ...] = FILES, *, pairs: bool = True) -> str:
    """B-cubed F1 at rumor level where no other is named; a Markdown table."""
    data = [stream(shared / f"data/labelled/{name}.jsonl.gz") for name in files]
    across_languages = [stream(write(shared, "sib200_flores", OUT / "streams"))] if pairs else []
    heads = [f"{one.name}, event" if one.name in EVENTS else one.name for one in data]
    heads += ["English-Vietnamese pairs, F1", "their precision"] if pairs else []
    rows = ["| choice | " + " | ".join(heads) + " |", "|---|" + "--:|" * len(heads)]
    print(*rows, sep="\n", flush=True)
    for line in LINES:
        cells = [_score(one, line, event=one.name in EVENTS) for one in data]
        for one in across_languages:
            cells += _pairs(one, line)
        rows.append(f"| {line.name} | " + " | ".join(f"{f1:.3f}" for f1 in cells) + " |")
        print(rows[-1], flush=True)
    return "\n".join(rows)


def _score(data: Stream, line: Line, *, event: bool) -> float:
    made = _made(data, line)
    return bcubed(data.story, made.event if event else made.rumor)[2]


def _pairs(data: Stream, line: Line) -> list[float]:
    """F1 and precision of pairs across languages."""
    precision, _, f1 = across(data, _made(data, line).rumor)
    return [f1, precision]


def _made(data: Stream, line: Line) -> Grouping:
    cluster, alert = defaults()
    fields = msgspec.structs.asdict
    cluster = msgspec.structs.replace(
        cluster, **{k: v for k, v in line.parameters.items() if k in fields(cluster)}
    )
    alert = msgspec.structs.replace(
        alert, **{k: v for k, v in line.parameters.items() if k in fields(alert)}
    )
    with ExitStack() as stack:
        for make in line.patches:
            stack.enter_context(make())  # type: ignore[arg-type]
        return grouped(changes(data.frames, cluster)[0], alert)
