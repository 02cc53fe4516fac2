"""Stories told by many: rumors and true breaking news, with doubt, denial and answers."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from streams.sources.scenario.bank import TOPIC, Bank, StoryBank
from streams.sources.scenario.drafts import Draft, Pen
from streams.sources.scenario.noise import HABITS
from streams.sources.scenario.people import Account
from streams.sources.scenario.timing import DAY, HOUR, spread

# Shares of roles before and after the office answers, in the order of ROLES; guessed, and chosen so
# that doubt leads and denial follows the answer.
ROLES = ("claim", "enquiry", "comment", "denial")
BEFORE = (0.60, 0.22, 0.13, 0.05)
AFTER = (0.27, 0.16, 0.20, 0.37)
NEWS = (0.72, 0.10, 0.18, 0.0)
RESHARES = 0.18
BARE_REPLIES = 0.08
# Shares of doubt, denial and comment that stand below somebody's post, mostly below a claim.
ANSWERS = {"enquiry": 0.65, "denial": 0.65, "comment": 0.85}
# Share of doubt, denial and comment that would fit any story, with this one's topic named in it.
TALK = 0.35
# A tale keeps its time, place and numbers: this share of a slot's uses has the value that won.
SETTLED = 0.6
# Two thirds of the claims hand on a text that goes round: one of the story's forwarded wordings, or
# a claim read a moment ago. The rest is told in words of one's own.
FORWARDED = 0.54
FORWARDED_SKEW = 1.3
RETYPED = 0.14
RECENT = 50
OFFICE_REACH = 38_000


def _first(story: StoryBank) -> str:
    return "rumor-claim" if story.kind == "rumor" else "breaking"


def _role(weights: Sequence[float], story: StoryBank, first: str, pen: Pen) -> str:
    have = [role if role != "claim" else first for role in ROLES]
    able = [
        weight if role in story.lines else 0.0 for role, weight in zip(have, weights, strict=True)
    ]
    return pen.rng.choices(have, able)[0]


def _around(pen: Pen, story: StoryBank, text: str, share: float) -> str:
    """``text`` with an opening, a detail or a call around it, each in about ``share`` of cases."""
    if story.details and pen.chance(share):
        text = f"{text} {pen.phrase(story.details, story.slots)}"
    if story.kind == "rumor" and pen.chance(share):
        text = f"{pen.phrase(pen.bank.openers)} {text[:1].lower() + text[1:]}"
    if story.kind == "rumor" and pen.chance(share * 0.8):
        text = f"{text} {pen.phrase(pen.bank.calls)}"
    return text


class Wordings:
    """The texts of a story that go round: each written out once, and handed on with changes."""

    def __init__(self, pen: Pen, story: StoryBank) -> None:
        self.pen = pen
        self.story = story
        self.templates = story.lines.get("forwarded", ())
        self.masters = [pen.phrase((line,), story.slots) for line in self.templates]

    def handed_on(self) -> str:
        """A text that goes round as somebody passes it on: shortened, reworded, or with details
        of their own place and time; empty when the story has none."""
        pen = self.pen
        if not self.masters or not pen.chance(FORWARDED):
            return ""
        which = pen.ranked(len(self.masters), FORWARDED_SKEW)
        text = self.masters[which]
        if pen.chance(0.25):
            text = pen.phrase((self.templates[which],), self.story.slots)
        sentences = text.split(". ")
        if len(sentences) > 1 and pen.chance(0.35):
            # What is left out is the end (a preview, haste), never the claim at the front.
            text = ". ".join(sentences[: pen.rng.randint(1, len(sentences) - 1)]) + "."
        return _around(pen, self.story, pen.reworded(text), 0.15)


def _claim(pen: Pen, story: StoryBank, first: str) -> str:
    """A claim in words of one's own: one base sentence, often with something around it."""
    return _around(pen, story, pen.told(story.lines[first], story.slots), 0.2)


def _reaction(pen: Pen, story: StoryBank, role: str) -> str:
    """An enquiry, denial or comment: of this story alone, or as people say it about any."""
    if TOPIC in story.slots and role in pen.bank.talk and pen.chance(TALK):
        return pen.phrase(pen.bank.talk[role], story.slots)
    return pen.told(story.lines[role], story.slots)


def _foreign(pen: Pen, story: StoryBank, role: str) -> tuple[str, str, str] | None:
    """(text, language, role) in another tongue, or None where the story stays Vietnamese."""
    if not story.foreign or not pen.chance(story.foreign_share):
        return None
    lang = pen.rng.choice(sorted(story.foreign))
    lines = story.foreign[lang]
    if role not in lines:
        role = pen.rng.choice(sorted(lines))
    return pen.phrase(lines[role], story.slots), lang, role


def _retyped(pen: Pen, earlier: Sequence[Draft], first: str) -> str:
    """A claim seen lately, to be typed again in another hand; empty when none is taken up."""
    seen = [post.clean for post in earlier[-RECENT:] if post.role == first and post.clean]
    return pen.reworded(pen.rng.choice(seen)) if seen and pen.chance(RETYPED) else ""


def _told(
    pen: Pen,
    story: StoryBank,
    round_going: Wordings,
    at: float,
    account: Account,
    earlier: list[Draft],
) -> Draft:
    first = _first(story)
    answered = story.answered is not None and at > story.answered * HOUR
    weights = NEWS if story.kind != "rumor" else AFTER if answered else BEFORE
    role = first if not earlier else _role(weights, story, first, pen)
    platform, community = pen.place(story.platforms, story.communities)
    if earlier and (other := _foreign(pen, story, role)):
        text, lang, role = other
        text = pen.dressed(text, story.tags, 0.15, mood="grave")
        return Draft(at, text, account, platform, community, story.id, role, lang)
    if role != first:
        clean = pen.reworded(_reaction(pen, story, role))
    else:
        clean = (
            _retyped(pen, earlier, first) or round_going.handed_on() or _claim(pen, story, first)
        )
    text = pen.dressed(pen.by_hand(clean, account), story.tags, mood="grave")
    draft = Draft(at, text, account, platform, community, story.id, role, clean=clean)
    if role != first and earlier and pen.chance(ANSWERS[role]):
        claims = [post for post in earlier[-60:] if post.role == first]
        _answer(pen, draft, pen.rng.choice(claims or earlier[-40:]))
    return draft


def _answer(pen: Pen, draft: Draft, parent: Draft) -> None:
    draft.parent = parent
    draft.platform, draft.community = parent.platform, parent.community


def _handed_on(story: StoryBank, earlier: Sequence[Draft]) -> list[Draft]:
    """What people press the share button on: claims and offices' posts, hardly ever a remark."""
    worth = {_first(story), "correction", "official-update"}
    return [post for post in earlier if post.role in worth]


def _reshare(pen: Pen, draft: Draft, parent: Draft) -> Draft:
    """``draft`` turned into a repost of ``parent``; one in three adds words of its own."""
    draft.parent, draft.shared = parent, True
    draft.text, draft.lang, draft.role = parent.text, parent.lang, parent.role
    draft.clean = ""
    if pen.chance(0.35):
        words = pen.by_hand(pen.phrase(pen.bank.openers), draft.account)
        draft.text = f"{words} {parent.text}"
    return draft


def _bare_reply(pen: Pen, draft: Draft, parent: Draft) -> Draft:
    """A few words without the topic: only the thread says what they are about."""
    draft.role = pen.rng.choice(("enquiry", "enquiry", "comment", "denial"))
    text = pen.phrase(pen.bank.replies[draft.role])
    draft.text, draft.lang = pen.dressed(pen.by_hand(text, draft.account)), "vi"
    draft.clean = ""
    _answer(pen, draft, parent)
    return draft


def _office_posts(pen: Pen, story: StoryBank) -> list[Draft]:
    """The office's own posts: a rumor's corrections, or updates on what is true."""
    if story.answered is None or "correction" not in story.lines:
        return []
    kind, role = (
        ("correction", "correction") if story.kind == "rumor" else ("post", "official-update")
    )
    account = Account(story.office, HABITS[0], OFFICE_REACH)
    community = pen.rng.choice(pen.bank.communities["pages"])
    at, posts = story.answered * HOUR, []
    for line in story.lines["correction"]:
        if at >= DAY:
            break
        text = pen.phrase((line,), story.slots)
        posts.append(Draft(at, text, account, "pages", community, story.id, role, kind=kind))
        at += pen.rng.uniform(0.3, 1.6) * HOUR
    return posts


def _campaign(
    pen: Pen, story: StoryBank, round_going: Wordings, accounts: Sequence[Account]
) -> list[Draft]:
    """The same words pasted into one group after another by a few accounts."""
    if not story.copies:
        return []
    first = _first(story)
    few = pen.rng.sample(list(accounts), min(story.copiers or story.copies, len(accounts)))
    words = round_going.handed_on() or _claim(pen, story, first)
    text = pen.dressed(words, story.tags, 0.5, mood="grave")
    at = (story.shape.after + story.shape.rise * 0.8) * HOUR
    posts = []
    for _ in range(story.copies):
        platform, community = pen.place(story.platforms)
        role, account = first, pen.rng.choice(few)
        posts.append(Draft(at, text, account, platform, community, story.id, role))
        at = min(at + pen.rng.expovariate(1 / 75.0) + 5.0, DAY - 1.0)
    return posts


def _settled(pen: Pen, story: StoryBank) -> StoryBank:
    """The story with one value of each of its slots so often that it is taken in most cases."""
    slots = dict(story.slots)
    for name in story.own_slots:
        values = story.slots[name]
        others = len(values) - 1
        if others:
            # With n more of the winner, its share of all is (n + 1) / (n + 1 + others).
            more = round(others * SETTLED / (1 - SETTLED))
            slots[name] = (*values, *(pen.rng.choice(values),) * max(more - 1, 0))
    return replace(story, slots=slots)


def tell(bank: Bank, story: StoryBank, accounts: Sequence[Account], seed: str) -> list[Draft]:
    """All posts of a rumor or a true story, in time order; ``seed`` makes them repeatable."""
    pen = Pen(bank, random.Random(f"{seed}/{story.id}"))
    story = _settled(pen, story)
    round_going = Wordings(pen, story)
    fixed = _office_posts(pen, story) + _campaign(pen, story, round_going, accounts)
    fixed.sort(key=lambda draft: draft.at)
    voices = pen.rng.sample(list(accounts), min(story.posts, len(accounts)))
    told: list[Draft] = []
    for number, at in enumerate(spread(story.posts - len(fixed), story.shape, pen.rng)):
        while fixed and fixed[0].at <= at:
            told.append(fixed.pop(0))
        # One in eight speaks again: voices and posts must not be the same number.
        again = told and pen.chance(0.12)
        account = pen.rng.choice(told).account if again else voices[number]
        if account.handle == story.office:
            account = voices[number]
        draft = _told(pen, story, round_going, at, account, told)
        earlier = [post for post in told[-60:] if post.at + 20.0 < at]
        if number < story.tips:
            draft.kind, draft.platform, draft.parent = "tip", "hotline", None
            draft.community = pen.rng.choice(bank.communities["hotline"])
        elif (worth := _handed_on(story, earlier)) and pen.chance(RESHARES):
            _reshare(pen, draft, max(pen.rng.choices(worth, k=2), key=lambda p: p.account.reach))
        elif earlier and pen.chance(BARE_REPLIES):
            _bare_reply(pen, draft, pen.rng.choice(earlier))
        told.append(draft)
    return told + fixed
