"""The headline and the few posts that stand for a rumor."""

from __future__ import annotations

from alerts.parameters import EXEMPLARS
from alerts.rumor import Kept, Rumor
from streams.documents import Exemplar
from streams.records import Flag

HEADLINE = 160
"""Characters of a headline."""

# Plain ints: an enum's operators cost more than the whole rest here.
_ENQUIRY, _DENIAL = int(Flag.ENQUIRY), int(Flag.DENIAL)
_TALK = _ENQUIRY | _DENIAL | int(Flag.ADVERT)


def headline(rumor: Rumor) -> str:
    """The most shared wording that states rather than asks or denies; then the first one."""
    posts = [p for p in rumor.kept if p.words]
    if not posts:
        return ""
    plain = [p for p in posts if not p.flags & _TALK and p.kind != 2] or posts
    uses: dict[int, int] = {}
    for post in plain:
        uses[post.wording] = uses.get(post.wording, 0) + 1
    best = max(plain, key=lambda p: (uses[p.wording], p.words, -p.created_at, p.id))
    text = " ".join(best.text.split())
    return text if len(text) <= HEADLINE else text[: HEADLINE - 1].rstrip() + "…"


def exemplars(rumor: Rumor) -> list[Exemplar]:
    """At most ten posts of different wordings: first, correction, enquiry, denial, newest, ..."""
    chosen: list[Exemplar] = []
    wordings: set[int] = set()

    def show(post: Kept | None, why: str) -> None:
        if post is None or len(chosen) == EXEMPLARS or post.wording in wordings or not post.text:
            return
        wordings.add(post.wording)
        chosen.append(
            Exemplar(
                source=post.source,
                post_id=post.id,
                text=post.text,
                created_at=post.created_at,
                why=why,
            )
        )

    kept = rumor.kept
    show(min(kept, key=lambda p: (p.created_at, p.id), default=None), "first")
    show(next((p for p in kept if p.kind == 2), None), "correction")
    show(next((p for p in kept if p.flags & _ENQUIRY), None), "enquiry")
    show(next((p for p in kept if p.flags & _DENIAL), None), "denial")
    show(max(kept, key=lambda p: (p.reach, -p.created_at, p.id), default=None), "most reach")
    show(max(kept, key=lambda p: (p.created_at, p.id), default=None), "newest")
    for post in kept:
        show(post, "varied")
    return chosen
