"""Which settings a sweep tries: every combination of the values that were given."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from alerts.signals import measures
from config import Settings
from config.changing import FOLD_SECTIONS, changed, fold_values
from evaluation.errors import EvaluationError

MOST_CELLS = 4096
"""Combinations of one sweep; at ten seconds each on two cores that is the better part of a night."""

DEFAULT_STEPS = {
    "cluster.micro_threshold": (Decimal("-.05"), Decimal(".05"), Decimal(".10")),
    "alert.macro_threshold": (Decimal("-.05"), Decimal(".05"), Decimal(".10")),
    "alert.suggest.min_posts": (Decimal(-1), Decimal(1), Decimal(2)),
}
"""What is swept when nothing is said: the two thresholds that decide most about quality (steps of
.05 change B-cubed F1 by at most .0085 around the best, docs/clustering.md) and the evidence that an
alert asks for. With the value in force 4 x 4 x 4 = 64 cells, so the best need not lie at an edge."""

Value = float | int


@dataclass(frozen=True)
class Axis:
    """One setting and the values that are tried, ascending; the value in force is always among them."""

    name: str
    values: tuple[Value, ...]
    default: Value

    def steps(self, value: Value) -> int:
        """How many values away from the one in force."""
        return self.values.index(value) - self.values.index(self.default)


@dataclass(frozen=True)
class Cell:
    """One combination: values by name in the order of the axes, and the settings that they make."""

    values: tuple[tuple[str, Value], ...]
    settings: Settings

    @property
    def key(self) -> str:
        """Names the cell's result file: 16 hex digits over the values."""
        text = json.dumps(self.values, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def default_axes(settings: Settings) -> list[str]:
    """What is swept when nothing is said, around the values in force, as `axes_of` takes it."""
    texts = []
    for name, steps in DEFAULT_STEPS.items():
        stands = Decimal(str(in_force(name, settings)))
        lowest = Decimal(1) if max(steps) >= 1 else Decimal(0)  # a count, or a cosine
        values = sorted({max(stands + step, lowest) for step in (Decimal(0), *steps)})
        texts.append(f"{name}={','.join(map(str, values))}")
    return texts


def axes_of(given: Sequence[str], settings: Settings) -> list[Axis]:
    """Axes out of `name=low:high:step` and `name=a,b,c`.

    Raises EvaluationError for a text that is neither, a range without values and a name that stands
    twice; SettingsError for a name that is not known and a value that is not allowed.
    """
    axes: list[Axis] = []
    for text in given:
        name, equals, values = text.partition("=")
        name = name.strip()
        if not equals or not name:
            raise EvaluationError(
                f"{text!r} sets nothing: write NAME=LOW:HIGH:STEP or NAME=A,B,C, for example "
                "cluster.micro_threshold=.25:.45:.05"
            )
        if any(axis.name == name for axis in axes):
            raise EvaluationError(f"{name} is given twice: put all its values into one list")
        axes.append(_axis(name, _numbers(name, values), settings))
    cells = 1
    for axis in axes:
        cells *= len(axis.values)
    if cells > MOST_CELLS:
        raise EvaluationError(
            f"{cells:,} combinations are more than a sweep of {MOST_CELLS:,}: "
            "give fewer settings or values, and go finer around the best in a second sweep"
        )
    return axes


def cells_of(axes: Sequence[Axis], settings: Settings) -> list[Cell]:
    """All combinations, the one in force first. Raises SettingsError for values that exclude each other."""
    combinations = list(itertools.product(*(axis.values for axis in axes)))
    in_force = tuple(axis.default for axis in axes)
    combinations.sort(key=lambda values: (values != in_force, values))
    cells = []
    for combination in combinations:
        values = tuple((axis.name, value) for axis, value in zip(axes, combination, strict=True))
        cells.append(Cell(values, changed(settings, dict(values), "the sweep")))
    return cells


def _axis(name: str, values: list[Value], settings: Settings) -> Axis:
    for value in values:  # an unknown name is told before anything else
        changed(settings, {name: value}, "--set")
    if name.split(".")[0] not in FOLD_SECTIONS:
        raise EvaluationError(
            f"{name} cannot be swept: only settings below {' and '.join(FOLD_SECTIONS)} can, "
            "the others would change the posts that are compared"
        )
    default = in_force(name, settings)
    if not isinstance(default, int | float) or isinstance(default, bool):
        raise EvaluationError(f"{name} holds no number, so it cannot be swept")
    return Axis(name, tuple(sorted({*values, default})), default)


def in_force(name: str, settings: Settings) -> Any:
    """The value that counts now; for a signal that is not named in the settings its own one.

    Raises UnknownSignal for a signal that does not exist.
    """
    known = fold_values(settings)
    section, _, signal = name.rpartition(".")
    if name in known or section not in ("alert.weights", "alert.thresholds"):
        return known.get(name)
    field = section.removeprefix("alert.").removesuffix("s")
    chosen = {signal: 1.0}
    weights, thresholds = (chosen, {}) if field == "weight" else ({}, chosen)
    measures(weights, thresholds)
    return next(getattr(m, field) for m in measures({}, {}) if m.name == signal)


def _numbers(name: str, text: str) -> list[Value]:
    parts = text.split(":")
    try:
        if len(parts) == 1:
            values = [Decimal(part.strip()) for part in text.split(",")]
        elif len(parts) == 3:
            values = _range(name, *(Decimal(part.strip()) for part in parts))
        else:
            raise EvaluationError(
                f"{name}={text} is no range: write LOW:HIGH:STEP, for example .25:.45:.05"
            )
    except InvalidOperation:
        raise EvaluationError(
            f"{name}={text}: only numbers can be swept; write LOW:HIGH:STEP or A,B,C"
        ) from None
    if not all(value.is_finite() for value in values):
        raise EvaluationError(f"{name}={text}: only finite numbers can be swept")
    return [int(value) if value == value.to_integral_value() else float(value) for value in values]


def _range(name: str, low: Decimal, high: Decimal, step: Decimal) -> list[Decimal]:
    if not (low.is_finite() and high.is_finite() and step.is_finite()):
        return [low, high, step]
    if step <= 0 or high < low:
        raise EvaluationError(
            f"{name}={low}:{high}:{step} is an empty range: LOW must not exceed HIGH, "
            "and STEP must be above 0"
        )
    count = int((high - low) / step) + 1
    if count > MOST_CELLS:
        raise EvaluationError(f"{name}={low}:{high}:{step} has {count:,} values: take larger steps")
    return [low + step * number for number in range(count)]


def described(axes: Sequence[Axis]) -> list[dict[str, Any]]:
    """The axes as JSON holds them."""
    return [
        {"name": axis.name, "values": list(axis.values), "default": axis.default} for axis in axes
    ]
