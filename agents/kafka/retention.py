"""Retention as a duty of the worker that writes to the store: it drops what is past its age."""

from __future__ import annotations

import logging
import time

from config import Settings
from stores import Store, StoreError
from stores.retention import Ages

FIRST_S = 60.0
"""After the start, so that a worker that is started again and again does not look each time."""

log = logging.getLogger(__name__)


def ages_of(settings: Settings) -> Ages:
    """The ages in the settings; 0 days keep for ever."""
    chosen = settings.retention
    return Ages(
        posts=chosen.posts_days or None,
        trends=chosen.trends_days or None,
        rumors=chosen.rumors_days or None,
        alerts=chosen.alerts_days or None,
    )


def reached(store: Store) -> int | None:
    """The time (ms) that ages count from; None for an empty store.

    The stream's own time, so that a replay of old posts is not dropped as it comes in; never later
    than the clock's, so that one post with a date far ahead drops nothing.
    """
    newest = store.newest()
    return None if newest is None else min(newest, time.time_ns() // 1_000_000)


class Duty:
    """When to look, and the look itself. A refusal is told and does not end the worker."""

    def __init__(self, settings: Settings) -> None:
        self._ages = ages_of(settings)
        self._every_s = settings.retention.every_h * 3600
        self._next = time.monotonic() + min(FIRST_S, self._every_s)

    def due(self) -> bool:
        return time.monotonic() >= self._next

    def carry_out(self, store: Store) -> None:
        self._next = time.monotonic() + self._every_s
        try:
            now = reached(store)
            gone = {} if now is None else store.expire(self._ages, now)
        except StoreError as error:
            log.warning("nothing was dropped by age: %s", error)
            return
        for kind, count in gone.items():
            if count:
                log.info("dropped %d %s past their age", count, kind)
