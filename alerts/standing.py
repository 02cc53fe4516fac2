"""What the alert fold knows where it stands in its log; its steps read it and change it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from alerts.desk import Desk, View
from alerts.gate import Gate
from alerts.levels import Levels
from alerts.micros import Micros
from alerts.parameters import AlertParameters
from alerts.tree import Tree
from alerts.trends import Trends
from streams.time import NEVER

NAMES = 4_096
"""Different names of sources, languages, platforms, ... of which one string each is kept."""


@dataclass(slots=True)
class Standing:
    """Everything that more than one step of the fold needs."""

    encoder: str
    parameters: AlertParameters
    levels: Levels
    micros: Micros
    tree: Tree
    trends: Trends
    desk: Desk
    gate: Gate
    watermark: int = NEVER
    version: int = 0  # records taken so far
    place: int = 0  # posts folded
    newest: str = ""  # id of the last folded post
    names: dict[str, str] = field(default_factory=dict)

    def known(self) -> Callable[[str, str], str]:
        """For `folded_posts`."""
        if len(self.names) > NAMES:
            self.names.clear()
        return self.names.setdefault

    def view(self) -> View:
        """What the desk sees."""
        return View(self.tree, self.micros, self.parameters, self.watermark, self.version)
