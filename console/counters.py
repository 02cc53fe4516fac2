"""The strip of figures on top of the overview."""

from __future__ import annotations

from dataclasses import dataclass

from console.language import Language
from console.status import PipelineStatus
from stores.base import Store


@dataclass(frozen=True)
class Figure:
    """One figure of the strip."""

    label: str
    value: str
    note: str = ""
    level: str = ""  # links to the alerts of this level
    title: str = ""


def counters(
    store: Store, status: PipelineStatus | None, now: int | None, words: Language
) -> list[Figure]:
    """The strip of figures; without a pipeline, what the store can tell."""
    clock = "–" if now is None else words.clock(now, now)
    day = "" if now is None else words.day(now)
    title = words.word("watermark_is")
    if status is None:
        held = store.counts()
        return [
            Figure(words.word("posts_stored"), words.number(held.get("posts", 0))),
            Figure(words.word("rumors"), words.number(held.get("rumors", 0))),
            Figure(words.word("alerts"), words.number(held.get("alerts", 0))),
            Figure(words.word("watermark"), clock, day, title=title),
        ]
    losses = [("duplicates", status.duplicates), ("late", status.late), ("dead", status.dead)]
    aside = " · ".join(words.word(key, words.number(n)) for key, n in losses if n)
    state = (
        "state_finished"
        if status.finished
        else "state_running"
        if status.running
        else "state_stopped"
    )
    pace = words.word(state)
    if status.running and not status.finished and status.speed and status.speed != 1:
        pace = words.word("speed", words.number(status.speed))
    return [
        Figure(words.word("posts_in"), words.number(status.posts_in), aside),
        Figure(words.word("rumors"), words.number(status.rumors)),
        Figure(
            words.word("confirm"),
            words.number(status.alerts_confirm),
            level="confirm",
            title=words.word("confirm_is"),
        ),
        Figure(
            words.word("suggest"),
            words.number(status.alerts_suggest),
            level="suggest",
            title=words.word("suggest_is"),
        ),
        Figure(words.word("posts_per_s"), words.number(status.posts_per_s), pace),
        Figure(words.word("watermark"), clock, day, title=title),
    ]
