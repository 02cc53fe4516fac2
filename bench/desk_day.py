"""The documents of the invented day with a desk that works, for what shows Kibana's panels.

A replay alone leaves neither claims nor an audit. Here the beginning of the day is told twenty days before it
too, two of three alerts are taken up, and half of these get a verdict with a correction: on the day
itself some of the claims are known. Posts and people are invented.
"""

from __future__ import annotations

import json
import tempfile
from typing import Any

import config
from agents.kafka.documents import Document, batches, key_of, messages, unpack
from agents.stages import Stages
from embeddings.door import build_frame
from streams.documents import Batch, Verdict
from streams.effects import Effects, Raised
from streams.inputs import Action
from streams.sources.scenario import generate
from streams.timestamps import parse_time
from streams.validation import InputRecord, Tick

FRAME = 64  # posts
MINUTE = 60_000
DAY = 24 * 60 * MINUTE
BEFORE = 20 * DAY  # longer than the window of rumors
OLD = 600  # posts that were told then
VERDICTS: tuple[Verdict, ...] = ("fake", "not-the-truth", "authenticated", "unverifiable")


def documents(posts: int | None = None) -> Batch:
    """The newest version of each document after the first `posts` of the day."""
    day = generate()[:posts]
    with tempfile.TemporaryDirectory() as folder:
        settings = config.load(env={"TINDON_STATE_DIR": folder}).settings
        road = _Road(Stages(settings))
        road.tell([earlier(post) for post in day[:OLD]])
        road.tell(day)
        return road.end()


def earlier(post: dict[str, Any]) -> dict[str, Any]:
    """The same words from other people, twenty days before."""
    at = parse_time(post["created_at"]) - BEFORE
    named = {
        name: f"old-{post[name]}"
        for name in ("id", "author", "reply_to", "repost_of")
        if post[name]
    }
    return {**post, **named, "created_at": at}


class _Road:
    def __init__(self, made: Any) -> None:
        self._made = made
        self._offset = 0
        self._newest: dict[str, Document] = {}
        self._raised = 0

    def tell(self, posts: list[dict[str, Any]]) -> None:
        for begin in range(0, len(posts), FRAME):
            part = posts[begin : begin + FRAME]
            entries: list[tuple[int, InputRecord | Tick]] = []
            for post in part:
                self._offset += 1
                raw = json.dumps(post).encode()
                entries.append((self._offset, InputRecord(source="day", input=post["id"], raw=raw)))
            self._offset += 1
            entries.append((self._offset, Tick(parse_time(part[-1]["created_at"]))))
            frame = build_frame(self._made.door, entries, origin="day", partition=0).frame
            for change in self._made.cluster.take(frame):
                self._took(self._made.alert.take(change))

    def _took(self, effects: Effects) -> None:
        self._keep(effects.batch)
        for raised in effects.raised:
            if raised.level == "confirm":
                self._work(raised)

    def _work(self, raised: Raised) -> None:
        self._raised += 1
        if self._raised % 3 == 0:
            return
        self._act(raised, "acknowledge", 4 + self._raised % 7)
        if self._raised % 3 == 1:
            self._act(
                raised, "verdict", 35 + self._raised % 20, why="asked those who know",
                verdict=VERDICTS[self._raised // 3 % 4], links=["https://example.org/check"],
                correction="This is not so: see the notice.", correction_link="https://example.org/no",
            )  # fmt: skip

    def _act(self, raised: Raised, deed: Any, minutes: int, **given: Any) -> None:
        at = raised.raised_at + minutes * MINUTE
        action = Action(
            id=f"{raised.alert_id}-{deed}",
            deed=deed,
            alert=raised.alert_id,
            who="Mai",
            at=at,
            **given,
        )
        self._keep(self._made.alert.take(action).batch)

    def _keep(self, batch: Batch) -> None:
        for _, value in messages(batch):
            document = unpack(value)
            self._newest[key_of(document)] = document

    def end(self) -> Batch:
        self._keep(self._made.alert.flush())
        [whole] = batches(self._newest.values(), len(self._newest))
        return whole
