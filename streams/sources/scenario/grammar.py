"""The small template language of the phrase banks.

``[a|b|]`` picks one alternative (empty ones allowed, nesting allowed), ``{name}`` puts in a value
of the slot ``name``, ``{3-9}`` a whole number of that range. Three slots are built in and can only
make invented values: ``{phone}``, ``{account}`` and ``{code}``.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence

Slots = Mapping[str, Sequence[str]]

_GROUP = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{([^{}\[\]|]+)\}")
_RANGE = re.compile(r"(\d+)-(\d+)$")
_BLANKS = re.compile(r"[ \t]+")
_BLANK_BEFORE_STOP = re.compile(r" +([,.!?:;…])")
# A slot's value may itself hold slots; a bank deeper than this has a cycle.
MAX_DEPTH = 12


class PhraseError(ValueError):
    """A phrase that cannot be written out: unknown slot, cycle, or unbalanced bracket."""


def _phone(rng: random.Random) -> str:
    # 0900 000 xxx is nobody's number: the scenario may print it in full.
    tail = f"{rng.randrange(1000):03d}"
    return rng.choice(("0900 000 {}", "0900000{}", "0900.000.{}", "09.0000.0{}")).format(tail)


def _account(rng: random.Random) -> str:
    return rng.choice(("0000 0000 {}", "00000000{}", "0000.000.{}")).format(
        f"{rng.randrange(1000):03d}"
    )


def _code(rng: random.Random) -> str:
    return f"{rng.choice('ABKMT')}{rng.choice('QRSX')}{rng.randrange(100):02d}"


_BUILT_IN: Mapping[str, Callable[[random.Random], str]] = {
    "phone": _phone,
    "account": _account,
    "code": _code,
}

Pick = Callable[[Sequence[str]], str]


def _expand(template: str, pick: Pick, rng: random.Random, slots: Slots) -> str:
    def group(match: re.Match[str]) -> str:
        return pick(match.group(1).split("|"))

    def slot(match: re.Match[str]) -> str:
        name = match.group(1)
        if span := _RANGE.match(name):
            return str(rng.randint(int(span.group(1)), int(span.group(2))))
        if name in slots:
            return pick(slots[name])
        if name in _BUILT_IN:
            return _BUILT_IN[name](rng)
        raise PhraseError(f"unknown slot {{{name}}} in {template!r}: add it to the bank's slots")

    text = template
    for _ in range(MAX_DEPTH):
        if "[" in text:
            text = _GROUP.sub(group, text)
        elif "{" in text:
            text = _SLOT.sub(slot, text)
        else:
            break
    if any(sign in text for sign in "[]{}"):
        raise PhraseError(f"unbalanced bracket or endless slot in {template!r}")
    return _BLANK_BEFORE_STOP.sub(r"\1", _BLANKS.sub(" ", text)).strip()


def render(template: str, rng: random.Random, slots: Slots) -> str:
    """One wording of ``template``; the choices come out of ``rng`` alone."""
    return _expand(template, rng.choice, rng, slots)


def wordings(template: str, slots: Slots) -> list[str]:
    """Enough wordings of ``template`` to show each of its own alternatives at least once."""
    most = max((group.count("|") + 1 for group in _GROUP.findall(template)), default=1)
    found: dict[str, None] = {}
    for turn in range(most):

        def pick(options: Sequence[str], turn: int = turn) -> str:
            return options[turn % len(options)]

        found[_expand(template, pick, random.Random(turn), slots)] = None
    return list(found)
