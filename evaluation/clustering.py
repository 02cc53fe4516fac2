"""Clustering scores of a table: overall, by language, by story size."""

from typing import Any

import numpy as np
import numpy.typing as npt

from evaluation.metrics import Labels, Mask, ami, ari, bcubed_per_post, mean_scores, v_measure
from evaluation.table import Table

# Name of the view, column of the table. An event has no "at arrival": the replay records only the
# rumor that the analyst would have seen first.
VIEWS = (
    ("rumor_final", "rumor"),
    ("rumor_at_arrival", "arrival"),
    ("event_final", "event"),
    ("micro_cluster", "micro"),
)
SIZE_BANDS = ((1, 1), (2, 9), (10, 19), (20, 49), (50, 99), (100, None))


def score_clustering(table: Table) -> dict[str, Any]:
    """All clustering figures, with repeats kept and with exact repeats removed."""
    everything = np.ones(len(table), dtype=bool)
    per_post = {
        "rumor": bcubed_per_post(table.story, table.rumor, table.labelled),
        "event": bcubed_per_post(table.story, table.event, table.labelled),
    }
    return {
        "repeats_kept": _views(table, everything),
        "repeats_removed": {
            "removed": int(table.repeat.sum()),
            "removed_labelled": int((table.repeat & table.labelled).sum()),
            **_views(table, ~table.repeat),
        },
        "by_language": _by_language(table, per_post),
        "by_story_size": _by_story_size(table, per_post),
    }


def _views(table: Table, kept: Mask) -> dict[str, Any]:
    return {name: _view(table, getattr(table, column), kept) for name, column in VIEWS}


def _view(table: Table, groups: Labels, kept: Mask) -> dict[str, Any]:
    gold, predicted = table.story[kept], groups[kept]
    labelled = gold >= 0
    precision, recall = bcubed_per_post(gold, predicted, labelled)
    p, r, f1 = mean_scores(precision[labelled], recall[labelled])
    return {
        "precision": p,
        "recall": r,
        "f1": f1,
        "ami": ami(gold, predicted),
        "ari": ari(gold, predicted),
        "v_measure": v_measure(gold, predicted),
        "posts": int(labelled.sum()),
        "stories": len(np.unique(gold[labelled])),
        "groups": len(np.unique(predicted[labelled])),
    }


Averaged = dict[str, tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]


def _by_language(table: Table, per_post: Averaged) -> list[dict[str, Any]]:
    """B-cubed averaged over each language's posts; groups and stories stay whole."""
    names, counts = np.unique(table.language[table.labelled], return_counts=True)
    order = np.lexsort((names, -counts))
    return [
        {
            "language": str(names[i]),
            **_slice(table.labelled & (table.language == names[i]), per_post),
        }
        for i in order
    ]


def _by_story_size(table: Table, per_post: Averaged) -> list[dict[str, Any]]:
    """B-cubed averaged over the posts of the stories of each size band."""
    size = np.zeros(len(table), dtype=np.int64)
    size[table.labelled] = table.story_size[table.story[table.labelled]]
    rows = []
    for low, high in SIZE_BANDS:
        inside = (size >= low) & (size <= (high or size.max(initial=0)))
        if inside.any():
            stories = len(np.unique(table.story[inside]))
            rows.append({"from": low, "to": high, "stories": stories, **_slice(inside, per_post)})
    return rows


def _slice(inside: Mask, per_post: Averaged) -> dict[str, Any]:
    result: dict[str, Any] = {"posts": int(inside.sum())}
    for name, (precision, recall) in per_post.items():
        p, r, f1 = mean_scores(precision[inside], recall[inside])
        result[name] = {"precision": p, "recall": r, "f1": f1}
    return result
