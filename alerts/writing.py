"""What waits to be written."""

from __future__ import annotations

from typing import NamedTuple

from alerts.rumor import AlertState
from streams.documents import RumorDocument


class Gone(NamedTuple):
    """The last documents of a rumor that is no more."""

    rumor: RumorDocument
    alert: AlertState | None
    heir_alert: str | None  # the alert that stands for it from here on
