"""The state with which a partition begins that takes over some of another's cells."""

from __future__ import annotations

from typing import Any

from clusters.pending import Pending


def heir(state: dict[str, Any], partition: int) -> dict[str, Any]:
    """A snapshot of a cluster fold as the beginning of another one's.

    It knows the ids, frequencies, mean, times and source offsets of its parent, so that a post that comes
    again is told as a duplicate, resent entries are skipped, and weights go on. Micro-clusters stay with the
    parent: each belongs to one fold. The alert fold joins what goes on elsewhere.
    """
    table = state["table"]
    none_of_it = {name: column[:0] for name, column in table.items() if name not in ("ids", "next")}
    dim = len(state["weights"]["dense_sum"])
    return {
        **state,
        "partition": partition,
        "table": {**none_of_it, "ids": [], "next": table["next"]},
        "wording": [column[:0] for column in state["wording"]],
        "pending": Pending(dim).state(),
        "sequence": 0,
    }
