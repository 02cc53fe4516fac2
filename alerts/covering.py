"""One alert a story: a rumor that says nearly what a young alert says is covered by it.

Clusters part one story into several rumors. Those that reach a level while the first one's alert is
young are shown with it, not raised anew; from then on they stay with it until its rumor ends.
"""

from __future__ import annotations

import numpy as np

from alerts.lifecycle import note
from alerts.parameters import HOUR
from alerts.rumor import Rumor
from alerts.standing import Standing


def covering(standing: Standing, rumor: Rumor) -> tuple[Rumor, float] | None:
    """The rumor whose alert covers this one, and the mean cosine of their posts; None for none.

    Its alert was raised at most `cooldown_h` ago, no analyst parted the two, and their posts agree by
    `cover_threshold` or more on average. The nearest one wins, ties to the oldest.
    """
    parameters, tree, micros = standing.parameters, standing.tree, standing.micros
    own = micros.of_rumor(rumor.number)
    best: tuple[Rumor, float] | None = None
    for number in standing.gate.young(standing.watermark - int(parameters.cooldown_h * HOUR)):
        root = tree.rumors[number]
        if root is rumor or root.alert is None or tree.bars.between(number, rumor.number):
            continue
        rows = micros.of_rumor(number)
        if not len(own) or not len(rows):
            continue
        near = float(micros.between_posts(own, rows).mean(dtype=np.float64))
        if near >= parameters.cover_threshold and (best is None or near > best[1]):
            best = root, near
    return best


def cover(standing: Standing, root: Rumor, rumor: Rumor, near: float) -> None:
    """Put a rumor below another one's alert, and say why in its history."""
    assert root.alert is not None
    standing.gate.cover(root.number, rumor.number)
    least = standing.parameters.cover_threshold
    why = f"{rumor.id} says nearly the same: {near:.2f}, from {least:.2f} on no alert of its own"
    note(root.alert, "covered", standing.watermark, why=why)
