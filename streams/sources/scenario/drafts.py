"""A post in the making, and the pen that writes one in an account's hand."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from streams.sources.scenario.bank import Bank
from streams.sources.scenario.grammar import Slots, render
from streams.sources.scenario.noise import Teencode, roughen
from streams.sources.scenario.people import Account

# Exponent of the rank in a wording's weight: with 8 wordings the first gets a fourth. Guessed.
WORDING_SKEW = 0.8
# Share of the words with another way of saying them that is changed when a text is handed on.
REWORDED = 0.3


@dataclass(slots=True, eq=False)
class Draft:
    """A post before it has an id; ``at`` is in seconds after the start.

    ``clean`` is a claim's text before typing habits, kept so that others can type it again.
    """

    at: float
    text: str
    account: Account
    platform: str
    community: str
    story: str | None
    role: str
    lang: str = "vi"
    kind: str = "post"
    parent: Draft | None = None
    shared: bool = False
    clean: str = ""


class Pen:
    """Writes phrases of one bank; every choice comes out of the generator it is given."""

    def __init__(self, bank: Bank, rng: random.Random) -> None:
        self.bank = bank
        self.rng = rng
        self._teencode = Teencode(bank.teencode)
        self._synonyms = Teencode(bank.synonyms)

    def chance(self, share: float) -> bool:
        """True in ``share`` of the calls."""
        return self.rng.random() < share

    def phrase(self, lines: Sequence[str], slots: Slots | None = None) -> str:
        """One of ``lines``, written out."""
        text = render(self.rng.choice(lines), self.rng, slots or self.bank.slots)
        return text[:1].upper() + text[1:]

    def told(self, lines: Sequence[str], slots: Slots) -> str:
        """One of ``lines``, the first ones more often: some wordings of a story win."""
        return self.phrase((lines[self.ranked(len(lines))],), slots)

    def ranked(self, count: int, skew: float = WORDING_SKEW) -> int:
        """A number below ``count``, the small ones more often."""
        weights = [1 / rank**skew for rank in range(1, count + 1)]
        return self.rng.choices(range(count), weights)[0]

    def reworded(self, text: str) -> str:
        """``text`` with some of its everyday words said in another way."""
        return self._synonyms.shorten(text, REWORDED, self.rng)

    def by_hand(self, text: str, account: Account, care: float = 0.0) -> str:
        """Vietnamese ``text`` as this account types it."""
        return roughen(text, account.habit, self._teencode, self.rng, care)

    def dressed(
        self, text: str, tags: Sequence[str] = (), share: float = 0.2, mood: str = "everyday"
    ) -> str:
        """``text`` with a row of emoji or glued hashtags, each in about ``share`` of the calls."""
        rng = self.rng
        faces = self.bank.emoji[mood]
        if self.chance(share):
            row = rng.choice(faces) * rng.randint(1, 4)
            text = f"{row} {text}" if self.chance(0.2) else f"{text} {row}"
        if tags and self.chance(share * 0.6):
            text = f"{text} {' '.join(rng.sample(tags, min(len(tags), rng.randint(1, 2))))}"
        return text

    def place(self, platforms: Sequence[str], communities: Sequence[str] = ()) -> tuple[str, str]:
        """A platform and one of its communities, from the story's own places at first."""
        platform = self.rng.choice(platforms)
        if communities and self.chance(0.7):
            return platform, self.rng.choice(communities)
        return platform, self.rng.choice(self.bank.communities[platform])
