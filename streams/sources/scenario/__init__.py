"""The built-in scenario: one day of invented posts in an invented Vietnamese province.

Every name, place, office, number and event in it is made up. A seeded script writes the posts out
of phrase banks (``banks/``); ``docs/scenario.md`` says what is in it and what it cannot show.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

from streams.sources.scenario.bank import BANKS, load_bank, phrases
from streams.sources.scenario.drafts import Draft
from streams.sources.scenario.everyday import chatter, wave
from streams.sources.scenario.grammar import PhraseError
from streams.sources.scenario.people import crowd
from streams.sources.scenario.telling import tell

__all__ = [
    "BANKS",
    "START",
    "PhraseError",
    "Story",
    "Truth",
    "generate",
    "phrases",
    "stories",
    "truth",
]

LOCAL = timezone(timedelta(hours=7))
START = datetime(2026, 10, 13, 5, tzinfo=LOCAL)
TOLD = ("rumor", "true-breaking")


@dataclass(frozen=True, slots=True)
class Truth:
    """What a post really is: its story (None for plain chatter), its role in it, its language."""

    story: str | None
    role: str
    lang: str


@dataclass(frozen=True, slots=True)
class Story:
    """A story of the bank; ``kind`` is rumor, true-breaking, advert, greeting or viral."""

    id: str
    kind: str
    title: str
    posts: int


def stories(bank: str = "main") -> list[Story]:
    """The bank's stories with their sizes in posts."""
    return [Story(s.id, s.kind, s.title, s.posts) for s in load_bank(bank).stories]


@lru_cache(maxsize=4)
def _day(seed: int, bank_name: str) -> tuple[tuple[str, Draft], ...]:
    """(id, draft) of the whole day in time order; a post's parent always comes before it."""
    bank = load_bank(bank_name)
    key = f"{bank_name}/{seed}"
    accounts = crowd(bank.handles, random.Random(f"{key}/crowd"))
    drafts: list[Draft] = []
    for story in bank.stories:
        drafts += (tell if story.kind in TOLD else wave)(bank, story, accounts, key)
    drafts += chatter(bank, accounts, key)
    # Ids count in time order, so sorting by (created_at, id) keeps this order; sort is stable.
    drafts.sort(key=lambda draft: int(draft.at * 1000))
    return tuple((f"{bank_name[0]}{number:06d}", draft) for number, draft in enumerate(drafts, 1))


def _post(post_id: str, draft: Draft, parent: str | None, begin: datetime) -> dict[str, Any]:
    moment = begin + timedelta(milliseconds=int(draft.at * 1000))
    post: dict[str, Any] = {
        "id": post_id,
        "text": draft.text,
        "created_at": moment.isoformat(timespec="milliseconds"),
        "author": draft.account.handle,
        "platform": draft.platform,
        "community": draft.community,
        "reply_to": None if draft.shared else parent,
        "repost_of": parent if draft.shared else None,
        "reach": draft.account.reach,
        "kind": draft.kind,
        "source": "scenario",
    }
    # Real sources name the language or the address of some posts only: so does this one.
    number = int(post_id[1:])
    if number % 4 == 0:
        post["lang"] = draft.lang
    if draft.platform != "hotline" and number % 3:
        post["url"] = f"https://{draft.platform}.example/p/{post_id}"
    return post


def generate(
    seed: int = 7, start: datetime | None = None, bank: str = "main"
) -> list[dict[str, Any]]:
    """The day's posts (input post fields) in time order; the same arguments give the same posts.

    ``start`` (with offset; default ``START``) is taken as the day's 05:00, whatever its hour.
    Raises ``PhraseError`` for an unknown bank and ``ValueError`` for a start without offset.
    """
    begin = START if start is None else start
    if begin.tzinfo is None:
        raise ValueError("start has no UTC offset: give one, e.g. 2026-10-13T05:00:00+07:00")
    day = _day(seed, bank)
    ids = {id(draft): post_id for post_id, draft in day}
    return [
        _post(post_id, draft, ids[id(draft.parent)] if draft.parent else None, begin)
        for post_id, draft in day
    ]


def truth(seed: int = 7, bank: str = "main") -> dict[str, Truth]:
    """Post id to what the post really is, for the posts that ``generate`` gives."""
    return {
        post_id: Truth(draft.story, draft.role, draft.lang) for post_id, draft in _day(seed, bank)
    }
