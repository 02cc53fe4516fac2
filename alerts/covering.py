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

MARGIN = 1e-3
"""By how much a mean cosine that mean vectors tell may lie off; rounding makes it 1e-5 at most."""


class Young:
    """The alerts that may cover a rumor, while the micro-clusters stay as they are."""

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self._numbers: list[int] = []
        self._means = np.zeros((0, 0), np.float32)  # of the posts of each one's rumor

    def covering(self, rumor: Rumor) -> tuple[Rumor, float] | None:
        """The rumor whose alert covers this one, and the mean cosine of their posts; None for none.

        Its alert was raised at most `cooldown_h` ago, no analyst parted the two, and their posts agree by
        `cover_threshold` or more on average. The nearest one wins, ties to the oldest.
        """
        standing = self._standing
        parameters, tree, micros = standing.parameters, standing.tree, standing.micros
        young = standing.gate.young(standing.watermark - int(parameters.cooldown_h * HOUR))
        own = micros.of_rumor(rumor.number)
        if not young or not len(own):
            return None
        if young != self._numbers:  # one was raised meanwhile
            self._numbers, self._means = young, micros.means_of(young)
        # The mean of all cosines is the product of two means, but for its rounding.
        about = self._means @ micros.means_of([rumor.number])[0]
        best: tuple[Rumor, float] | None = None
        for at in (about >= parameters.cover_threshold - MARGIN).nonzero()[0].tolist():
            number = young[at]
            root = tree.rumors[number]
            if root is rumor or root.alert is None or tree.bars.between(number, rumor.number):
                continue
            rows = micros.of_rumor(number)
            if not len(rows):
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
