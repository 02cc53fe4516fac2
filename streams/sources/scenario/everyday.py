"""What is no rumor: waves of greetings and adverts, viral talk, and the day's chatter."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

from streams.sources.scenario.bank import Bank, StoryBank
from streams.sources.scenario.drafts import Draft, Pen
from streams.sources.scenario.people import Account, regular
from streams.sources.scenario.timing import DAY, daily, spread

PLATFORMS = ("groups", "groups", "groups", "chat", "video", "forum")
# Shares of a viral wave: handed on as it is, answered in its thread; the rest speaks for itself.
VIRAL_RESHARES = 0.42
VIRAL_REPLIES = 0.30
VIRAL_ROOTS = 8
REPLIES = 0.20
RESHARES = 0.04
# A topic's sentence comes up this often a day at most: more would look like something that spreads.
SENTENCE_USES = 2
# The posts of an everyday sentence get this many answers and reshares at most, all together.
ECHOES = 1


def wave(bank: Bank, story: StoryBank, accounts: Sequence[Account], seed: str) -> list[Draft]:
    """A wave of one kind (advert, greeting, viral talk), in time order."""
    pen = Pen(bank, random.Random(f"{seed}/{story.id}"))
    if story.kind == "viral":
        return _viral(pen, story, accounts)
    lines = story.lines[story.kind]
    few = pen.rng.sample(list(accounts), min(story.copiers or len(accounts), len(accounts)))
    copied = pen.phrase(lines, story.slots)
    posts: list[Draft] = []
    copies = set(pen.rng.sample(range(story.posts), story.copies))
    for number, at in enumerate(spread(story.posts, story.shape, pen.rng)):
        account = pen.rng.choice(few)
        text = copied
        if number not in copies:
            text = pen.phrase(lines, story.slots)
            if story.details and pen.chance(0.5):
                text = f"{text} {pen.phrase(story.details, story.slots)}"
            care = 0.7 if story.kind == "advert" else 0.0
            text = pen.dressed(pen.by_hand(text, account, care), story.tags, 0.35, "warm")
        platform, community = pen.place(story.platforms, story.communities)
        posts.append(Draft(at, text, account, platform, community, story.id, story.kind))
    return posts


def _viral(pen: Pen, story: StoryBank, accounts: Sequence[Account]) -> list[Draft]:
    """Harmless talk that spreads: a few posts that many hand on, and the threads below them."""
    rng = pen.rng
    posts: list[Draft] = []
    roots: list[Draft] = []
    for at in spread(story.posts, story.shape, rng):
        account = rng.choice(accounts)
        platform, community = pen.place(story.platforms, story.communities)
        draft = Draft(at, "", account, platform, community, story.id, story.kind)
        parents = [root for root in roots if root.at + 20.0 < at]
        draw = rng.random()
        if parents and draw < VIRAL_RESHARES:
            draft.parent, draft.shared = rng.choice(parents), True
            draft.text = draft.parent.text
        elif parents and draw < VIRAL_RESHARES + VIRAL_REPLIES:
            draft.parent = rng.choice(parents)
            draft.platform, draft.community = draft.parent.platform, draft.parent.community
            draft.text = pen.dressed(pen.by_hand(pen.phrase(story.lines["comment"]), account))
        else:
            text = pen.phrase(story.lines["viral"], story.slots)
            draft.text = pen.dressed(pen.by_hand(text, account), story.tags, 0.3)
            if len(roots) < VIRAL_ROOTS:
                roots.append(draft)
        posts.append(draft)
    return posts


def _everyday(pen: Pen, topic: Sequence[Sequence[str]], sentence: str) -> str:
    """A topic's sentence, with or without what comes before and after it."""
    before, _, after = topic
    text = pen.phrase((sentence,))
    if pen.chance(0.3):
        text = f"{pen.phrase(before)} {text[:1].lower() + text[1:]}"
    if pen.chance(0.35):
        text = f"{text} {pen.phrase(after)}"
    return text


def _deck(bank: Bank, rng: random.Random) -> list[tuple[str, str]]:
    """(topic or language, sentence) of the day's posts in shuffled order; foreign ones once."""
    deck = [(topic, line) for topic, parts in bank.topics.items() for line in parts[1]]
    deck *= SENTENCE_USES
    deck += [(lang, line) for lang, lines in bank.foreign_chatter.items() for line in lines]
    deck.sort()
    rng.shuffle(deck)
    return deck


def chatter(bank: Bank, accounts: Sequence[Account], seed: str) -> list[Draft]:
    """The day's unrelated posts, in time order, with replies and a few reshares among them."""
    pen = Pen(bank, random.Random(f"{seed}/chatter"))
    rng = pen.rng
    deck = _deck(bank, rng)
    echoes = Counter[str]()
    posts: list[Draft] = []
    for at in sorted(daily(rng) for _ in range(int(len(deck) / (1 - REPLIES - RESHARES)))):
        account = regular(accounts, rng)
        platform, community = pen.place(PLATFORMS)
        draft = Draft(at, "", account, platform, community, None, "chatter")
        # A sentence is kept in ``clean``: what is said below its posts is counted for both of them.
        recent = [
            post
            for post in posts[-120:]
            if post.clean and post.at + 20.0 < at and echoes[post.clean] < ECHOES
        ]
        draw = rng.random() if deck else rng.random() * (REPLIES + RESHARES)
        if recent and draw < REPLIES + RESHARES:
            parent = draft.parent = rng.choice(recent)
            echoes[parent.clean] += 1
            if draw < REPLIES:
                text = pen.by_hand(pen.phrase(bank.chatter_replies), account)
                draft.text = pen.dressed(text)
                draft.platform, draft.community = parent.platform, parent.community
            else:
                draft.text, draft.lang, draft.shared = parent.text, parent.lang, True
        elif deck:
            topic, draft.clean = deck.pop()
            if topic in bank.topics:
                text = _everyday(pen, bank.topics[topic], draft.clean)
                draft.text = pen.dressed(pen.by_hand(text, account))
            else:
                draft.lang, draft.text = topic, pen.phrase((draft.clean,))
        else:
            continue
        posts.append(draft)
    assert not posts or posts[-1].at < DAY
    return posts
