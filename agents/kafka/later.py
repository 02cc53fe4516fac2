"""Documents that may wait behind posts: the newest version of each, with the deliveries they came in."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from agents.kafka.app import Delivery
from agents.kafka.documents import Document, key_of

MOST = 4_000
"""Documents that wait at most, about 20 MB; beyond it nothing more is read."""


class Portion(NamedTuple):
    """What is to be written now, and what is acknowledged then."""

    documents: list[Document]
    events: list[Delivery]


class Later:
    """Fills while a write is under way; a document that comes again replaces the one that waits."""

    def __init__(self) -> None:
        self._documents: dict[str, Document] = {}
        self._events: list[Delivery] = []
        self._busy = False
        self._changed = asyncio.Condition()

    async def add(self, documents: Sequence[Document], event: Delivery) -> None:
        """Returns when there is room again."""
        async with self._changed:
            for document in documents:
                key = key_of(document)
                stands = self._documents.get(key)
                if stands is None or document.version >= stands.version:
                    self._documents[key] = document
            self._events.append(event)
            self._changed.notify_all()
            await self._changed.wait_for(lambda: len(self._documents) <= MOST)

    async def portion(self) -> Portion:
        """All that waits; empties the place for what comes meanwhile. Call `written` when it is."""
        async with self._changed:
            await self._changed.wait_for(lambda: bool(self._events))
            portion = Portion(list(self._documents.values()), self._events)
            self._documents, self._events = {}, []
            self._busy = True
            self._changed.notify_all()
        return portion

    async def written(self) -> None:
        """The last portion is in the store, and acknowledged."""
        async with self._changed:
            self._busy = False
            self._changed.notify_all()

    async def empty(self) -> None:
        """Until nothing waits and nothing is under way."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._busy and not self._events)
