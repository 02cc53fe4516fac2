"""The whole evaluation of one replay, as one dictionary that JSON can hold."""

import math
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from evaluation.alerts_report import score_alerts
from evaluation.clustering import score_clustering
from evaluation.errors import EvaluationError
from evaluation.gold import load_gold
from evaluation.mistakes import find_mistakes
from evaluation.replayed import OUTCOMES, read_replayed
from evaluation.table import join

RESULTS_SCHEMA = 1
# What of summary.json says which program and settings made the figures, and at what cost.
REPLAY_FIELDS = (
    "posts_in", "rumors", "events", "wall_s", "posts_per_s", "peak_rss_bytes",
    "settings_sha256", "encoder", "tindon_version",
)  # fmt: skip


def score(
    out_dir: str | Path,
    gold_paths: Iterable[str | Path],
    *,
    allow_unlabelled: bool = False,
    assume_rate: float | None = None,
) -> dict[str, Any]:
    """Score what `tindon replay` wrote to `out_dir` against the labelled files it replayed.

    `assume_rate` is the replay's own `--assume-rate` (posts per hour), if it had one. With
    `allow_unlabelled`, files without any label give counts and alerts but no scores. The fields
    of the result are listed in docs/metrics.md; unknown or undefined figures are None.
    Raises EvaluationError.
    """
    replayed = read_replayed(out_dir)
    gold = load_gold(gold_paths, allow_unlabelled=allow_unlabelled, assume_rate=assume_rate)
    table = join(gold, replayed)
    outcomes = dict.fromkeys(OUTCOMES, 0)
    for record in replayed.assignments:
        outcomes[record.outcome] += 1
    if outcomes["folded"] == 0:
        raise EvaluationError(
            f"{', '.join(f.name for f in gold.files)}: none of {len(replayed.assignments)} posts was "
            "folded, so there is nothing to score; posts without time need --assume-rate N, and "
            "`tindon replay` tells the reasons of the others in dead.jsonl"
        )
    reasons = Counter(a.reason or "unknown" for a in replayed.assignments if a.outcome == "dead")
    labelled = bool(gold.stories)
    results = {
        "schema": RESULTS_SCHEMA,
        "files": [
            {
                "file": f.name,
                "posts": f.posts,
                "unreadable": f.unreadable,
                "unknown_columns": list(f.unknown_columns),
            }
            for f in gold.files
        ],
        "replay": {name: replayed.summary.get(name) for name in REPLAY_FIELDS},
        "posts": {
            "records": len(replayed.assignments),
            **outcomes,
            "labelled": int(table.labelled.sum()),
            "stories": len(gold.stories),
            "without_story": int((~table.labelled).sum()) - table.again,
            "exact_repeats": int(table.repeat.sum()),
            "not_replayed": table.lacking,
            "not_in_labelled_files": table.unknown,
            "repeated_ids": gold.repeated,
            "relabelled_ids": gold.relabelled,
            "dead_by_reason": dict(sorted(reasons.items())),
        },
        "clustering": score_clustering(table) if labelled else None,
        "mistakes": find_mistakes(table) if labelled else None,
        "alerts": score_alerts(table, replayed.alerts),
    }
    finite: dict[str, Any] = without_nan(results)
    return finite


def without_nan(value: Any) -> Any:
    """`value` with NaN and infinities as None, because JSON has neither."""
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_nan(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
