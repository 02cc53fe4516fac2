"""Small logs for the folds: posts through the real door, and frames that can be cut anywhere.

All posts are invented.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import numpy as np

from alerts import AlertFold, AlertParameters, LevelRule
from clusters import ClusterFold, ClusterParameters
from embeddings.door import Door, build_frame
from streams.codec import pack_state
from streams.effects import Effects
from streams.records import Change, EntryKind, Frame, PostColumns
from streams.validation import InputRecord, IntakeRules, Tick

START = 1_790_000_000_000  # ms, a whole second in 2026
MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR

DAM = "Đập thủy điện Hồ Lam sắp vỡ, bà con hạ du sơ tán gấp trong đêm nay"
DAM_AGAIN = "Nghe nói đập thủy điện Hồ Lam sắp vỡ, bà con hạ du sơ tán trong đêm nay"
DAM_LOOSELY = "Mọi người ơi thủy điện Hồ Lam sắp vỡ thật à, sơ tán chưa"
BANK = "Ngân hàng Sao Mai hết tiền mặt, mọi người đi rút tiền ngay kẻo muộn"

Entry = InputRecord | Tick


class Directions:
    """A tiny stateless encoder, for tests of the dense part: words choose the direction."""

    dim = 8
    identity = "directions/1/test"

    def encode(self, texts: list[str], /) -> np.ndarray:
        rows = np.zeros((len(texts), self.dim), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in text.split():
                row += np.frombuffer(
                    hashlib.blake2b(word.encode(), digest_size=8).digest(), np.uint8
                )
        rows += 1.0
        return rows / np.sqrt((rows * rows).sum(axis=1, keepdims=True))


_RULES = IntakeRules(future_ms=None)
DOOR = Door(key=b"test key of the folds", rules=_RULES)
DENSE_DOOR = Door(key=b"test key of the folds", rules=_RULES, encoder=Directions())


def post(
    post_id: str, text: str, at: int = START, *, source: str = "feed", **fields: Any
) -> InputRecord:
    """One record; `at` in ms."""
    raw = {"id": post_id, "text": text, "created_at": at, "source": source, **fields}
    return InputRecord(source=source, input=f"test:{post_id}", raw=json.dumps(raw).encode())


def dead(number: int = 0) -> InputRecord:
    return InputRecord(source="feed", input=f"test:dead{number}", raw=b"{half")


def frame(
    entries: Sequence[Entry],
    *,
    first: int = 0,
    door: Door = DOOR,
    origin: str = "log",
    partition: int = 0,
) -> Frame:
    """One frame with offsets from `first` on."""
    numbered = [(first + i, e) for i, e in enumerate(entries)]
    return build_frame(door, numbered, origin=origin, partition=partition).frame


def cluster_fold(*, door: Door = DOOR, partition: int = 0, **parameters: Any) -> ClusterFold:
    dim = door.encoder.dim if door.encoder else 0
    return ClusterFold(
        ClusterParameters(**parameters), encoder=door.identity, dim=dim, partition=partition
    )


def alert_fold(*, door: Door = DOOR, **parameters: Any) -> AlertFold:
    dim = door.encoder.dim if door.encoder else 0
    return AlertFold(AlertParameters(**parameters), encoder=door.identity, dim=dim)


def cut(whole: Frame, points: Iterable[int]) -> list[Frame]:
    """The frame's entries as several frames, cut before the given entries."""
    ends = sorted({p for p in points if 0 < p < len(whole.offsets)} | {len(whole.offsets)})
    starts = [0, *ends[:-1]]
    return [_part(whole, a, b) for a, b in zip(starts, ends, strict=True)]


def _part(whole: Frame, start: int, end: int) -> Frame:
    def span(kind: EntryKind) -> slice:
        of_kind = whole.kinds == kind
        return slice(int(of_kind[:start].sum()), int(of_kind[:end].sum()))

    rows, dead_rows, ticks = (span(k) for k in (EntryKind.POST, EntryKind.DEAD, EntryKind.TICK))
    posts = whole.posts
    first = int(posts.feature_ends[rows.start - 1]) if rows.start else 0
    last = int(posts.feature_ends[rows.stop - 1]) if rows.stop else 0
    columns = {name: getattr(posts, name)[rows] for name in PostColumns.__struct_fields__}
    columns["feature_ends"] = columns["feature_ends"] - first
    columns["features"] = posts.features[first:last]
    columns["feature_counts"] = posts.feature_counts[first:last]
    return msgspec.structs.replace(
        whole,
        offsets=whole.offsets[start:end],
        kinds=whole.kinds[start:end],
        posts=PostColumns(**columns),
        dead=whole.dead[dead_rows],
        ticks=whole.ticks[ticks],
    )


def level(score: float, voices: int, wordings: int) -> LevelRule:
    """A rule that asks for no number of posts."""
    return LevelRule(score=score, min_voices=voices, min_wordings=wordings, min_posts=0)


class Road:
    """Both folds, and all that came out of them."""

    def __init__(self, cluster: ClusterFold, alert: AlertFold) -> None:
        self.cluster = cluster
        self.alert = alert
        self.changes: list[Change] = []
        self.effects: list[Effects] = []

    def take(self, frames: Iterable[Frame]) -> None:
        for one in frames:
            for change in self.cluster.fold(one):
                self.changes.append(change)
                self.effects.append(self.alert.apply(change))

    def state(self) -> tuple[bytes, bytes]:
        return pack_state(self.cluster.snapshot()), pack_state(self.alert.snapshot())


def drawn_log(seed: int, posts: int, *, window_ms: int) -> list[Entry]:
    """A log with everything that a fold meets; the same seed gives the same log.

    Stories, copies, reposts, replies, duplicates, late posts, the dead, ticks, two sources, pauses
    that let micro-clusters age.
    """
    chance = random.Random(seed)
    stories = [[f"{s}word{w}" for w in chance.sample(range(60), 14)] for s in "abcdefg"]
    now, log, texts, ids = START, [], [], []
    for number in range(posts):
        now += chance.choice([0, 1, 1000, 20_000, MINUTE])
        kind = chance.random()
        if kind < 0.03:
            now += chance.choice([HOUR, window_ms // 2, window_ms + HOUR])
            log.append(Tick(now))
        elif kind < 0.06:
            log.append(Tick(now - chance.choice([0, HOUR])))
        if kind > 0.94:
            log.append(dead(number))
        source = chance.choice(["feed", "feed", "wall"])
        story = chance.choice(stories[: 2 + number // 40])
        text = " ".join(chance.sample(story, chance.randint(5, 13)))
        fields: dict[str, Any] = {"author": f"who{chance.randint(0, 30)}", "reach": number}
        post_id, at = f"p{number}", now
        turn = chance.random()
        if turn < 0.12 and texts:
            text = chance.choice(texts[-40:])
        elif turn < 0.22 and ids:
            fields[chance.choice(["repost_of", "reply_to"])] = chance.choice(ids[-60:])
        elif turn < 0.28 and ids:
            post_id = chance.choice(ids[-60:])
        elif turn < 0.33:
            at = now - chance.choice([HOUR, DAY, DAY + HOUR, 3 * DAY])
        elif turn < 0.36:
            text = chance.choice(["?!", "thật không"])
            fields["reply_to"] = chance.choice(ids or ["none"])
        elif turn < 0.40:
            text += " có thật không?"
        log.append(post(post_id, text, at, source=source, community=f"g{number % 5}", **fields))
        texts.append(text)
        ids.append(post_id)
    log.append(Tick(now + MINUTE))
    return log
