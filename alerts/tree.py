"""One tree, two readings: micro-clusters joined into rumors, rumors into events; stable ids."""

from __future__ import annotations

from typing import Any

import numpy as np

from alerts.likeness import Floors
from alerts.linking import across_languages
from alerts.merging import join
from alerts.micros import Micros
from alerts.parameters import AlertParameters
from alerts.parting import Expected
from alerts.parts import Bars, Parts
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
        self.parts = Parts()
        self.bars = Bars()
        self.expected = Expected()

    def use(self, macro_threshold: float, event_threshold: float) -> None:
        """Other thresholds from here on; what is joined stays joined."""
        self._macro_threshold = macro_threshold
        self._event_threshold = event_threshold

    @property
    def floors(self) -> Floors:
        """The least cosines that `grow` asks for: micro-clusters agree by no more than their cosine."""
        return Floors(min(self._macro_threshold, self._event_threshold), self._link_threshold)

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

        def join_alike(a: int, b: int, similarity: float) -> None:
            own, other = self.parts.rumor(a), self.parts.rumor(b)
            self.parts.fuse(micros, a, b, min(own, other), max(own, other))
            if own == other:  # two parts of what an analyst merged
                return
            least = self._macro_threshold
            reason = (
                "Merged because the posts of their nearest micro-clusters agree by "
                f"{similarity:.2f} and all by {least:.2f} or more on average."
            )
            join_rumors(own, other, similarity, least, reason)

        def join_across(a: int, b: int, similarity: float) -> None:
            reason = (
                f"Merged across languages because no rumor of the other is nearer in meaning: "
                f"{similarity:.2f}."
            )
            self.parts.fuse(micros, a, b, min(a, b), max(a, b))
            join_rumors(a, b, similarity, self._link_threshold, reason)

        def join_rumors(a: int, b: int, similarity: float, threshold: float, reason: str) -> None:
            heir, loser = min(a, b), max(a, b)
            join_events(self.rumors[heir].event, self.rumors[loser].event, similarity)
            joined.append(self._join(micros, heir, loser, at, similarity, threshold, reason))
            merged.append(Merged(loser=joined[-1][1].id, heir=joined[-1][0].id))

        def barred(a: int, b: int) -> bool:
            return self.bars.between(self.parts.rumor(a), self.parts.rumor(b))

        def agreement(rows: np.ndarray, others: np.ndarray) -> np.ndarray:
            return micros.agreement(micros.similarity(rows, others), rows, others)

        if len(due):
            found, macro = micros.near(due), self._macro_threshold
            agreed = [(one.rows, one.agreement) for one in found]
            join(due, agreed, agreement, macro, self.parts.labels(micros), join_alike, barred)
            across_languages(
                micros, due, self._link_threshold, self._language, join_across, self.bars.between
            )
            event, near = self._event_threshold, [(one.rows, one.similarity) for one in found]
            join(due, near, micros.similarity, event, micros.events_of(), join_events)
        return merged, joined

    def unite(
        self, micros: Micros, a: Rumor, b: Rumor, at: int, who: str, reason: str
    ) -> tuple[list[Merged], Rumor, Rumor]:
        """An analyst says that two rumors are one; what was merged, heir, loser.

        Their parts are still compared each for itself.
        """
        heir, loser = min(a.number, b.number), max(a.number, b.number)
        merged = self._join_events(micros, a.event, b.event)
        rows, others = micros.of_rumor(heir), micros.of_rumor(loser)
        alike = (
            float(micros.between_posts(rows, others).mean()) if len(rows) and len(others) else 0.0
        )
        self.parts.keep_apart(micros, heir, loser)
        old, young = self._join(micros, heir, loser, at, alike, self._macro_threshold, reason, who)
        return [*merged, Merged(loser=young.id, heir=old.id)], old, young

    def part(self, rumor: Rumor, part_id: str, born_at: int) -> Rumor:
        """A new rumor beside the one that it was a part of, in its event; nothing joins the two."""
        number = self._next
        self._next += 1
        part = Rumor(
            number=number, id=part_id, event=rumor.event,
            born_at=born_at, first_at=born_at, last_at=born_at,
        )  # fmt: skip
        self.rumors[number] = part
        self._events[rumor.event] = sorted([*self._events[rumor.event], number])
        self.bars.inherit(rumor.number, number)
        return part

    def _join(
        self, micros: Micros, heir: int, loser: int, at: int, similarity: float, threshold: float,
        reason: str, who: str = "",
    ) -> tuple[Rumor, Rumor]:  # fmt: skip
        """The younger rumor goes into the older one; their events are one already."""
        old, young = self.rumors[heir], self.rumors.pop(loser)
        young.event = old.event
        self._events[old.event].remove(loser)
        old.joins.append(
            Join(
                loser=young.id,
                at=at,
                similarity=round(similarity, 4),
                threshold=threshold,
                reason=reason,
                by=who,
            )
        )
        micros.rumor[micros.of_rumor(loser)] = heir
        self.bars.move(heir, loser)
        self.expected.move(heir, loser)
        return old, young

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
        self.bars.forget(number)
        if not members:
            del self._events[rumor.event]
            del self._event_ids[rumor.event]
        return rumor

    def state(self) -> dict[str, Any]:
        return {
            "rumors": [to_state(self.rumors[n]) for n in sorted(self.rumors)],
            "events": [[e, self._event_ids[e], self._events[e]] for e in sorted(self._events)],
            "next": self._next,
            "parts": self.parts.state(),
            "bars": self.bars.state(),
            "expected": self.expected.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.rumors = {r.number: r for r in map(from_state, state["rumors"])}
        self._events = {e: list(members) for e, _, members in state["events"]}
        self._event_ids = {e: name for e, name, _ in state["events"]}
        self._next = state["next"]
        self.parts.restore(state["parts"])
        self.bars.restore(state["bars"])
        self.expected.restore(state["expected"])
