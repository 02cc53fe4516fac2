"""What is no rumor: waves of greetings and adverts, and the day's chatter."""

from __future__ import annotations

import random
from collections.abc import Sequence

from streams.sources.scenario.bank import Bank, StoryBank
from streams.sources.scenario.drafts import Draft, Pen
from streams.sources.scenario.people import Account, regular
from streams.sources.scenario.timing import DAY, daily, spread

PLATFORMS = ("groups", "groups", "groups", "chat", "video", "forum")
REPLIES = 0.08
RESHARES = 0.03
FOREIGN = 0.035
# A topic's sentence comes up this often a day at most: more would look like something that spreads.
SENTENCE_USES = 2


def wave(bank: Bank, story: StoryBank, accounts: Sequence[Account], seed: str) -> list[Draft]:
    """A wave of one kind (advert, greeting, talk of the evening), in time order."""
    pen = Pen(bank, random.Random(f"{seed}/{story.id}"))
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
            if story.kind == "chatter" and pen.chance(0.6):
                # Talk rambles: with a second remark, one remark alone forms no wave of copies.
                text = f"{text} {pen.phrase(lines, story.slots)}"
            elif story.details and pen.chance(0.5):
                text = f"{text} {pen.phrase(story.details, story.slots)}"
            care = 0.7 if story.kind == "advert" else 0.0
            mood = "warm" if story.kind in ("greeting", "advert") else "everyday"
            text = pen.dressed(pen.by_hand(text, account, care), story.tags, 0.35, mood)
        platform, community = pen.place(story.platforms, story.communities)
        posts.append(Draft(at, text, account, platform, community, story.id, story.kind))
    return posts


def _everyday(pen: Pen, topic: Sequence[Sequence[str]], sentence: str) -> str:
    """A topic's sentence, with or without what comes before and after it."""
    before, _, after = topic
    text = pen.phrase((sentence,))
    if pen.chance(0.45):
        text = f"{pen.phrase(before)} {text[:1].lower() + text[1:]}"
    if pen.chance(0.5):
        text = f"{text} {pen.phrase(after)}"
    return text


def _deck(bank: Bank, rng: random.Random, size: int) -> list[tuple[str, str] | None]:
    """(topic, sentence) for ``size`` posts in shuffled order; None stands for a frame's post."""
    pairs = [(topic, line) for topic, parts in sorted(bank.topics.items()) for line in parts[1]]
    deck: list[tuple[str, str] | None] = [*pairs * SENTENCE_USES]
    deck += [None] * (size - len(deck))
    rng.shuffle(deck)
    return deck


def chatter(bank: Bank, accounts: Sequence[Account], seed: str) -> list[Draft]:
    """The day's unrelated posts, in time order, with replies and a few reshares among them."""
    pen = Pen(bank, random.Random(f"{seed}/chatter"))
    rng = pen.rng
    deck = _deck(bank, rng, bank.chatter_posts)
    posts: list[Draft] = []
    for at in sorted(daily(rng) for _ in range(bank.chatter_posts)):
        account = regular(accounts, rng)
        platform, community = pen.place(PLATFORMS)
        draft = Draft(at, "", account, platform, community, None, "chatter")
        recent = [post for post in posts[-80:] if post.at + 20.0 < at]
        if recent and pen.chance(REPLIES):
            parent = rng.choice(recent)
            text = pen.by_hand(pen.phrase(bank.chatter_replies), account)
            draft.text, draft.parent = pen.dressed(text), parent
            draft.platform, draft.community = parent.platform, parent.community
        elif recent and pen.chance(RESHARES):
            draft.parent, draft.shared = rng.choice(recent), True
            draft.text, draft.lang = draft.parent.text, draft.parent.lang
        elif pen.chance(FOREIGN):
            langs = sorted(bank.foreign_chatter)
            known = [len(bank.foreign_chatter[lang]) for lang in langs]
            draft.lang = rng.choices(langs, known)[0]
            draft.text = pen.phrase(bank.foreign_chatter[draft.lang])
        else:
            card = deck.pop()
            if card is None:
                text = pen.phrase(bank.frames)
            else:
                text = _everyday(pen, bank.topics[card[0]], card[1])
            draft.text = pen.dressed(pen.by_hand(text, account))
        posts.append(draft)
    assert not posts or posts[-1].at < DAY
    return posts
