"""What Tindon does on the constructed streams: two languages, and Vietnamese with and without
diacritics. The streams are written to a folder and never committed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bench.clustering.ours import Stream, changes, defaults, grouped, stream
from bench.clustering.parallel import SETS, write
from bench.clustering.vietnamese import write_both
from evaluation.metrics import bcubed


def measure(shared: Path, folder: Path) -> str:
    """Write the streams, run the folds with the default settings; two Markdown tables."""
    lines = [
        "| English-Vietnamese | granularity | reading | pair precision | pair recall | pair F1 |",
        "|---|--:|---|--:|--:|--:|",
    ]
    for name in SETS:
        data = stream(write(shared, name, folder))
        for granularity in (0, 1):
            made = _grouped(data, granularity)
            for reading, labels in (("rumor", made.rumor), ("event", made.event)):
                scores = " | ".join(f"{s:.3f}" for s in across(data, labels))
                lines.append(f"| {name} | {granularity} | {reading} | {scores} |")
    lines += ["", "| Vietnamese | P | R | F1 rumor | F1 event |", "|---|--:|--:|--:|--:|"]
    for path in write_both(shared, folder):
        data = stream(path)
        made = _grouped(data)
        p, r, f1 = bcubed(data.story, made.rumor)
        event = bcubed(data.story, made.event)[2]
        lines.append(f"| {data.name} | {p:.3f} | {r:.3f} | {f1:.3f} | {event:.3f} |")
    return "\n".join(lines)


def _grouped(data: Stream, granularity: float = 0.0):
    cluster, alert = defaults(granularity)
    return grouped(changes(data.frames, cluster)[0], alert)


def across(data: Stream, labels: np.ndarray) -> tuple[float, float, float]:
    """Precision, recall and F1 over pairs of an English and a Vietnamese post that share a label;
    a pair is right when both are posts of one sentence."""
    english = np.array([language == "en" for language in data.language])
    n = int(labels.max(initial=0)) + 1
    said = int(
        (
            np.bincount(labels[english], minlength=n) * np.bincount(labels[~english], minlength=n)
        ).sum()
    )
    of = dict(zip(data.story[english].tolist(), labels[english].tolist(), strict=True))
    pairs = zip(data.story[~english].tolist(), labels[~english].tolist(), strict=True)
    right = sum(of.get(story) == label for story, label in pairs)
    precision, recall = right / max(said, 1), right / max(len(of), 1)
    total = precision + recall
    return precision, recall, 2 * precision * recall / total if total else 0.0
