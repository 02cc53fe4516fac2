"""Which posts of a frame are new, and which of them need no vector to find their micro-cluster."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from clusters.parameters import SHORT_REPLY
from clusters.seen import Seen
from streams.documents import post_key
from streams.records import Flag, Outcome, PostColumns
from streams.time import Watermark

_TALK = int(Flag.ENQUIRY | Flag.DENIAL)


class Block:
    """Rows of a frame in folded order, and what became of each."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.outcomes: list[Outcome] = []
        self.duplicates: list[str | None] = []
        self.accepted: list[int] = []  # the folded rows
        self.watermarks: list[int] = []  # after each folded row, ms


def admit(
    posts: PostColumns, rows: list[int], room: int, seen: Seen, watermark: Watermark
) -> Block:
    """Tell new posts from duplicates and late ones, in order, until `room` new ones are found."""
    block = Block()
    fresh: set[str] = set()
    for row in rows:
        if len(block.accepted) == room:
            break
        source, post_id = posts.source[row], posts.id[row]
        created = int(posts.created_at[row])
        key = post_key(source, post_id)
        block.rows.append(row)
        duplicate = None
        if key in fresh or seen.serial(source, post_id) is not None:
            outcome, duplicate = Outcome.DUPLICATE, post_id
        elif watermark.is_late(source, created):
            outcome = Outcome.LATE
        else:
            outcome = Outcome.FOLDED
            fresh.add(key)
            watermark.post(source, created)
            block.accepted.append(row)
            block.watermarks.append(watermark.value)
        block.outcomes.append(outcome)
        block.duplicates.append(duplicate)
    return block


class Lead(NamedTuple):
    """Where a post goes without vector work: a known micro-cluster, or that of an earlier row."""

    serial: int | None
    row: int


def follow(
    posts: PostColumns,
    rows: list[int],
    seen: Seen,
    wordings: dict[int, int],
    alive: Callable[[int], object | None],
) -> list[Lead | None]:
    """For each row: what it follows, or None when it must be placed by its vector.

    A repost follows its parent, and so does a reply that asks, denies or says little: its words
    name no claim. An exact copy of a wording follows the first post that used it.
    """
    ids: dict[str, int] = {}
    first: dict[int, int] = {}
    leads: list[Lead | None] = []
    for row in rows:
        lead = None
        source, wording = posts.source[row], int(posts.wording[row])
        parent = posts.repost_of[row]
        if parent is None and leans_on_parent(posts, row):
            parent = posts.reply_to[row]
        if parent is not None:
            serial, at = seen.serial(source, parent), ids.get(post_key(source, parent))
            if serial is not None and alive(serial) is None:
                serial = None  # the parent's micro-cluster has aged out
            if serial is not None or at is not None:
                lead = Lead(serial, -1 if at is None else at)
        if lead is None and wording:
            serial = wordings.get(wording)
            if serial is not None and alive(serial) is None:
                serial = None
            if serial is not None:
                lead = Lead(serial, -1)
            elif wording in first:
                lead = Lead(None, first[wording])
            else:
                first[wording] = row
        ids[post_key(source, posts.id[row])] = row
        leads.append(lead)
    return leads


def leans_on_parent(posts: PostColumns, row: int) -> bool:
    """Whether a reply asks, denies or says little: its words name no claim."""
    if posts.reply_to[row] is None:
        return False
    start = int(posts.feature_ends[row - 1]) if row else 0
    return (
        bool(int(posts.flags[row]) & _TALK) or int(posts.feature_ends[row]) - start <= SHORT_REPLY
    )
