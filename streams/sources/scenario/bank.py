"""Phrase banks: YAML files whose block texts hold one phrase a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import yaml

from streams.sources.scenario.grammar import PhraseError, Slots, wordings
from streams.sources.scenario.timing import Shape

BANKS = ("main", "second")
KINDS = ("rumor", "true-breaking", "advert", "greeting", "viral")
Lines = tuple[str, ...]
# The slot that says in a few words what a story is about.
TOPIC = "topic"
_MARKS = {"*": "forwarded", "?": "enquiry", "!": "denial", "=": "correction", "~": "comment"}
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class StoryBank:
    """One story's phrases by role, its size (posts), its places and its shape in time."""

    id: str
    kind: str
    title: str
    posts: int
    shape: Shape
    lines: Mapping[str, Lines]
    details: Lines
    foreign: Mapping[str, Mapping[str, Lines]]
    slots: Slots
    own_slots: Lines
    tags: Lines
    platforms: Lines
    communities: Lines
    office: str
    answered: float | None
    tips: int = 0
    copies: int = 0
    copiers: int = 0
    foreign_share: float = 0.0


@dataclass(frozen=True, slots=True)
class Bank:
    """A whole phrase bank; ``topics`` (parts by topic) make the everyday posts.

    ``talk`` is what people say about any story, with the story's own slot ``topic`` in it.
    """

    name: str
    stories: tuple[StoryBank, ...]
    topics: Mapping[str, tuple[Lines, ...]]
    foreign_chatter: Mapping[str, Lines]
    openers: Lines
    calls: Lines
    replies: Mapping[str, Lines]
    talk: Mapping[str, Lines]
    chatter_replies: Lines
    slots: Slots
    teencode: Mapping[str, Lines]
    synonyms: Mapping[str, Lines]
    emoji: Mapping[str, Lines]
    handles: Mapping[str, Lines]
    communities: Mapping[str, Lines]


def _lines(text: str | None) -> Lines:
    return tuple(line.strip() for line in (text or "").splitlines() if line.strip())


def _options(text: str) -> Lines:
    return tuple(part.strip() for part in text.split("|"))


def _by_role(text: str | None, default: str) -> dict[str, Lines]:
    """Split lines by their mark: ``*`` forwarded, ``?`` enquiry, ``!`` denial, ``=`` correction,
    ``~`` comment."""
    found: dict[str, list[str]] = {}
    for line in _lines(text):
        mark, _, rest = line.partition(" ")
        role = _MARKS.get(mark, default)
        found.setdefault(role, []).append(rest if mark in _MARKS else line)
    return {role: tuple(lines) for role, lines in found.items()}


def _story(raw: Mapping[str, Any], shared: Slots) -> StoryBank:
    kind = raw["kind"]
    if kind not in KINDS:
        raise PhraseError(f"story {raw['id']}: kind {kind!r} is none of {', '.join(KINDS)}")
    first = {"rumor": "rumor-claim", "true-breaking": "breaking"}.get(kind, kind)
    return StoryBank(
        id=raw["id"],
        kind=kind,
        title=raw["title"],
        posts=raw["posts"],
        shape=Shape(raw["after_h"], raw["rise_h"], raw["decay_h"], raw.get("echo_h")),
        lines=_by_role(raw["lines"], first),
        details=_lines(raw.get("details")),
        foreign={lang: _by_role(text, first) for lang, text in raw.get("foreign", {}).items()},
        slots={**shared, **{name: _options(v) for name, v in raw.get("slots", {}).items()}},
        own_slots=tuple(raw.get("slots", {})),
        tags=_options(raw["tags"]) if "tags" in raw else (),
        platforms=_options(raw.get("platforms", "groups | groups | chat | video | forum")),
        communities=_options(raw["communities"]) if "communities" in raw else (),
        office=raw.get("office", ""),
        answered=raw.get("answered_h"),
        tips=raw.get("tips", 0),
        copies=raw.get("copies", 0),
        copiers=raw.get("copiers", 0),
        foreign_share=raw.get("foreign_share", 0.12 if raw.get("foreign") else 0.0),
    )


@lru_cache(maxsize=len(BANKS))
def load_bank(name: str) -> Bank:
    """The bank of that name; raises ``PhraseError`` naming the known ones for another."""
    if name not in BANKS:
        raise PhraseError(f"no phrase bank {name!r}: take one of {', '.join(BANKS)}")
    folder = files("streams.sources.scenario") / "banks"
    raw: dict[str, Any] = {}
    stories: list[Mapping[str, Any]] = []
    paths = [folder / "writing.yaml", *sorted((folder / name).iterdir(), key=lambda p: p.name)]
    for path in paths:
        part = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
        stories += part.pop("stories", [])
        raw.update(part)
    slots = {key: _options(value) for key, value in raw["slots"].items()}
    return Bank(
        name=name,
        stories=tuple(_story(story, slots) for story in stories),
        topics={
            topic: tuple(_lines(parts[key]) for key in sorted(parts))
            for topic, parts in raw["topics"].items()
        },
        foreign_chatter={lang: _lines(text) for lang, text in raw["foreign_chatter"].items()},
        openers=_lines(raw["openers"]),
        calls=_lines(raw["calls"]),
        replies=_by_role(raw["replies"], "comment"),
        talk=_by_role(raw["talk"], "comment"),
        chatter_replies=_lines(raw["chatter_replies"]),
        slots=slots,
        teencode={key: _options(value) for key, value in raw["teencode"].items()},
        synonyms={key: _options(value) for key, value in raw["synonyms"].items()},
        emoji={mood: tuple(faces.split()) for mood, faces in raw["emoji"].items()},
        handles={key: tuple(value.split()) for key, value in raw["handles"].items()},
        communities={key: _options(value) for key, value in raw["communities"].items()},
    )


def _entries(bank: Bank) -> Iterator[tuple[str, Slots]]:
    for story in bank.stories:
        foreign = [group for roles in story.foreign.values() for group in roles.values()]
        talk = bank.talk.values() if TOPIC in story.slots else ()
        for group in (*story.lines.values(), story.details, *foreign, *talk):
            yield from ((line, story.slots) for line in group)
    parts = [part for topic in bank.topics.values() for part in topic]
    others = (bank.openers, bank.calls, *bank.replies.values(), bank.chatter_replies)
    for group in (*others, *parts, *bank.foreign_chatter.values()):
        yield from ((line, bank.slots) for line in group)


def phrases(bank: str = "main") -> list[str]:
    """Every phrase of the bank, written out so that each alternative shows at least once.

    Values of slots (place names, times, numbers) appear inside the phrases, never alone.
    """
    found: dict[str, None] = {}
    for line, slots in _entries(load_bank(bank)):
        found.update(dict.fromkeys(wordings(line, slots)))
    return list(found)
