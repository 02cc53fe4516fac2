"""Which combination to propose: no further from the one in force than the evidence carries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evaluation.tuning.bands import band, draws, figure_of, standard_error
from evaluation.tuning.grid import Axis, Value
from evaluation.tuning.scoring import PartScores

Values = tuple[tuple[str, Value], ...]


@dataclass(frozen=True)
class Scored:
    """A combination with its scores by part."""

    values: Values
    parts: dict[str, PartScores]


@dataclass(frozen=True)
class Choice:
    """Positions in the list of combinations (0 is the one in force), and what speaks for them."""

    best: int  # highest goal on the first part
    chosen: int  # nearest to the one in force among those no worse than the best within one error
    gain: dict[str, tuple[float, float, float]]  # by part: chosen minus in force, with its band
    flat: dict[str, Any]  # the neighbours of the chosen one, one step in one setting

    @property
    def proposed(self) -> int:
        """The chosen one, when the held-out part bears it out; else the one in force."""
        return self.chosen if self.gain["held_out"][1] > 0 else 0


def choose(cells: Sequence[Scored], axes: Sequence[Axis], goal: str) -> Choice:
    """One-standard-error rule (Breiman and others 1984), with distance from what is in force as size.

    Only the first part decides what is chosen; the held-out part can only send it back.
    """
    stories = len(cells[0].parts["first"].by_story.posts)
    weights = draws(stories)
    first = [figure_of(cell.parts["first"].by_story, goal, weights) for cell in cells]
    figures = np.array([values[0] for values in first])
    best = int(np.nanargmax(figures)) if np.isfinite(figures).any() else 0
    near_enough = [
        number
        for number, values in enumerate(first)
        if number == best or figures[best] - values[0] <= standard_error(first[best] - values)
    ]
    chosen = min(near_enough, key=lambda n: (_distance(cells[n].values, axes), -figures[n], n))
    return Choice(
        best=best,
        chosen=chosen,
        gain={
            part: _gain(cells[chosen].parts[part], cells[0].parts[part], goal)
            for part in ("first", "held_out")
        },
        flat=_flat(cells, axes, chosen, figures),
    )


def _gain(chosen: PartScores, in_force: PartScores, goal: str) -> tuple[float, float, float]:
    weights = draws(len(chosen.by_story.posts))
    ours, theirs = (figure_of(p.by_story, goal, weights) for p in (chosen, in_force))
    return band(ours - theirs)


def _distance(values: Values, axes: Sequence[Axis]) -> int:
    """Steps of the grid between a combination and the one in force, over all settings."""
    return sum(abs(axis.steps(value)) for axis, (_, value) in zip(axes, values, strict=True))


def _flat(
    cells: Sequence[Scored], axes: Sequence[Axis], chosen: int, figures: Any
) -> dict[str, Any]:
    """How much the goal moves when one setting moves by one step."""
    at = dict(cells[chosen].values)
    rows, near = [], []
    for number, cell in enumerate(cells):
        moved = [
            abs(axis.steps(value) - axis.steps(at[name]))
            for axis, (name, value) in zip(axes, cell.values, strict=True)
        ]
        if sum(moved) == 1:
            near.append(number)
            setting = axes[moved.index(1)].name
            rows.append({
                "setting": setting,
                "value": dict(cell.values)[setting],
                "change": float(figures[number] - figures[chosen]),
            })  # fmt: skip
    largest = max((abs(figures[n] - figures[chosen]) for n in near), default=0.0)
    return {"neighbours": rows, "largest": float(largest)}
