"""What became of each post of a change, as the files of a replay tell it."""

from __future__ import annotations

import numpy as np

from alerts.micros import Micros
from alerts.tree import Tree
from streams.effects import Assigned
from streams.records import Change


def assigned(change: Change, rows: np.ndarray, micros: Micros, tree: Tree) -> list[Assigned]:
    """The posts that the change covers, with their rumor and event as they stand now.

    rows int64 (k,): where the change's micro-clusters lie in `micros`.
    """
    c, said = change.rows, []
    names = [
        (rumor.id, tree.event_id(rumor))
        for rumor in map(tree.rumors.__getitem__, micros.rumor[rows].tolist())
    ]
    for at, (outcome, micro) in enumerate(zip(c.outcome.tolist(), c.micro.tolist(), strict=True)):
        rumor, event = names[micro] if micro >= 0 else (None, None)
        said.append(
            Assigned(
                source=c.source[at],
                post_id=c.id[at],
                outcome=outcome,
                duplicate_of=c.duplicate_of[at],
                micro=change.micros.id[micro] if micro >= 0 else None,
                rumor=rumor,
                event=event,
            )
        )
    return said
