"""One tree, two readings: micro-clusters joined into rumors, rumors into events; stable ids."""

from __future__ import annotations

from typing import Any

import numpy as np

from alerts.linking import across_languages
from alerts.merging import join
from alerts.micros import Micros
from alerts.parameters import LINK_LEAD, AlertParameters
from alerts.rumor import Rumor, from_state, to_state
from streams.documents import Join
from streams.effects import Merged
from streams.ids import event_id


class Tree:
    """Active rumors and the events they belong to. The older one of two keeps its id."""

    def __init__(self, parameters: AlertParameters) -> None:
        self._macro_threshold = parameters.macro_threshold
        self._event_threshold = parameters.event_threshold
        self._link_threshold = parameters.link_threshold
        self.rumors: dict[int, Rumor] = {}
        self._events: dict[int, list[int]] = {}  # event -> numbers of its rumors, oldest first
        self._event_ids: dict[int, str] = {}
        self._next = 0

    def use(self, macro_threshold: float, event_threshold: float) -> None:
        """Other thresholds from here on; what is joined stays joined."""
        self._macro_threshold = macro_threshold
        self._event_threshold = event_threshold

    def open(self, rumor_id: str, at: int) -> Rumor:
        """A rumor of its own, in an event of its own."""
        number = self._next
        self._next += 1
        rumor = Rumor(number=number, id=rumor_id, event=number, born_at=at, first_at=at, last_at=at)
        self.rumors[number] = rumor
        self._events[number] = [number]
        self._event_ids[number] = event_id(rumor_id)
        return rumor

    def event_id(self, rumor: Rumor) -> str:
        return self._event_ids[rumor.event]

    def grow(
        self, micros: Micros, due: np.ndarray, at: int
    ) -> tuple[list[Merged], list[tuple[Rumor, Rumor]]]:
        """Join what a change brought near; the new heirs, and (heir, loser) of joined rumors."""
        merged: list[Merged] = []
        joined: list[tuple[Rumor, Rumor]] = []

        def join_events(a: int, b: int, similarity: float) -> None:
            merged.extend(self._join_events(micros, a, b))
            # Losers are no longer among the rumors, but their last documents name their event.
            for _, loser in joined:
                loser.event = min(a, b) if loser.event in (a, b) else loser.event

        def join_rumors(a: int, b: int, threshold: float, similarity: float, reason: str) -> None:
            heir, loser = self.rumors[min(a, b)], self.rumors.pop(max(a, b))
            join_events(heir.event, loser.event, similarity)
            loser.event = heir.event
            self._events[heir.event].remove(loser.number)
            heir.joins.append(
                Join(
                    loser=loser.id,
                    at=at,
                    similarity=round(similarity, 4),
                    threshold=threshold,
                    reason=reason,
                )
            )
            micros.rumor[micros.of_rumor(loser.number)] = heir.number
            merged.append(Merged(loser=loser.id, heir=heir.id))
            joined.append((heir, loser))

        def join_alike(a: int, b: int, similarity: float) -> None:
            least = self._macro_threshold
            reason = (
                "Merged because the posts of their nearest micro-clusters agree by "
                f"{similarity:.2f} and all by {least:.2f} or more on average."
            )
            join_rumors(a, b, least, similarity, reason)

        def join_across(a: int, b: int, similarity: float) -> None:
            reason = (
                f"Merged across languages because they agree by {similarity:.2f} in meaning, "
                f"{LINK_LEAD:.2f} or more ahead of any other."
            )
            join_rumors(a, b, self._link_threshold, similarity, reason)

        if len(due):
            near = micros.similarity(due)
            apart = micros.posts_apart(near, due)
            compare, macro = micros.between_posts, self._macro_threshold
            join(due, apart, compare, macro, micros.rumors_of(), join_alike)
            across_languages(micros, due, self._link_threshold, self._language, join_across)
            compare, event = micros.similarity, self._event_threshold
            join(due, near, compare, event, micros.events_of(), join_events)
        return merged, joined

    def _language(self, number: int) -> str | None:
        """The language of most of a rumor's posts; None when it is not known."""
        counts = [(n, name) for name, n in self.rumors[number].languages.items() if name != "und"]
        return max(counts)[1] if counts else None

    def _join_events(self, micros: Micros, a: int, b: int) -> list[Merged]:
        if a == b:
            return []
        heir, loser = min(a, b), max(a, b)
        micros.event[micros.event == loser] = heir
        for number in self._events[loser]:
            if number in self.rumors:
                self.rumors[number].event = heir
        self._events[heir] = sorted(self._events[heir] + self._events.pop(loser))
        return [Merged(loser=self._event_ids.pop(loser), heir=self._event_ids[heir])]

    def close(self, number: int) -> Rumor:
        """Take a rumor out; the last one takes its event along."""
        rumor = self.rumors.pop(number)
        members = self._events[rumor.event]
        members.remove(number)
        if not members:
            del self._events[rumor.event]
            del self._event_ids[rumor.event]
        return rumor

    def state(self) -> dict[str, Any]:
        return {
            "rumors": [to_state(self.rumors[n]) for n in sorted(self.rumors)],
            "events": [[e, self._event_ids[e], self._events[e]] for e in sorted(self._events)],
            "next": self._next,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.rumors = {r.number: r for r in map(from_state, state["rumors"])}
        self._events = {e: list(members) for e, _, members in state["events"]}
        self._event_ids = {e: name for e, name, _ in state["events"]}
        self._next = state["next"]
