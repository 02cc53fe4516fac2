"""Other values for some settings: what a sweep, a shadow and a change of a running system start from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from config.errors import SettingsError
from config.loading import check_names, file_layer, leaves, merge, validated
from config.settings import Settings

FOLD_SECTIONS = ("cluster", "alert")
"""Sections whose settings a fold may take up in the middle of its log. All others are read by a
process once, when it starts."""


def fold_values(settings: Settings) -> dict[str, Any]:
    """Every setting of the folds by its dotted name; an open table gives one entry a name."""
    tree = {name: getattr(settings, name).model_dump(mode="json") for name in FOLD_SECTIONS}
    return dict(leaves(tree))


def changed(settings: Settings, changes: Mapping[str, Any], origin: str) -> Settings:
    """The settings with other values under some dotted names; `origin` says who asks, for errors.

    Raises SettingsError for a name that is not known (with the nearest one) or a value that is not
    allowed.
    """
    tree: dict[str, Any] = {}
    for name, value in changes.items():
        inner: Any = value
        for part in reversed(name.split(".")):
            inner = {part: inner}
        merge(tree, inner)
    return _over(settings, tree, origin)


def from_file(settings: Settings, file: Path) -> Settings:
    """The settings with those of a YAML file on top. Raises SettingsError."""
    tree, _ = file_layer(file, mend="give a file that can be read")
    return _over(settings, tree, str(file))


def _over(settings: Settings, tree: dict[str, Any], origin: str) -> Settings:
    check_names(tree, Settings, (), f"in {origin}")
    values = settings.model_dump(mode="python")
    merge(values, tree)
    return validated(values, {name: origin for name, _ in leaves(tree)})


def refused(running: Settings, wanted: Settings) -> None:
    """Raise SettingsError when the two differ in what no fold can take up in the middle of its log."""
    outside_folds(running, wanted)
    if wanted.cluster.dense_weight != running.cluster.dense_weight:
        raise SettingsError(
            "cluster.dense_weight cannot change in a running fold: the sums of its micro-clusters "
            "were made with the weight that stands; set it in the settings file and start a new state"
        )


def outside_folds(running: Settings, wanted: Settings) -> None:
    """Raise SettingsError when the two differ in what is not the folds' own."""
    for name in Settings.model_fields:
        if name in FOLD_SECTIONS:
            continue
        here, there = getattr(running, name), getattr(wanted, name)
        if here != there:
            raise SettingsError(
                f"{name}{_first_difference(here, there)} cannot differ here: only settings below "
                f"{' and '.join(FOLD_SECTIONS)} can, the folds read all others once, when they start"
            )


def _first_difference(here: Any, there: Any) -> str:
    for field in getattr(type(here), "model_fields", {}):
        if getattr(here, field) != getattr(there, field):
            return f".{field}"
    return ""
