"""The headline and the few posts that stand for a rumor."""

from __future__ import annotations

from collections.abc import Sequence

from alerts.parameters import EXEMPLARS
from alerts.rumor import Kept
from alerts.wordings import WORDINGS_READ, Central, near_copies, words_in
from streams.documents import Exemplar
from streams.records import Flag

HEADLINE = 160
"""Characters of a headline."""

# Plain ints: an enum's operators cost more than the whole rest here.
_ENQUIRY, _DENIAL = int(Flag.ENQUIRY), int(Flag.DENIAL)
_TALK = _ENQUIRY | _DENIAL | int(Flag.ADVERT)

Rank = tuple[int, int, str, int]  # words, -time, id, -place among the kept: no two are equal


class Shown:
    """What a rumor's documents show of its kept posts, at little cost: most rumors are small.

    Kept posts are only ever added to, so each is looked at once, however often the rumor is
    written. Not part of the fold's state: it follows from the kept posts.
    """

    def __init__(self) -> None:
        self._read = 0  # kept posts looked at
        # For the headline: wording -> its uses, its best post
        self._wordings: dict[int, tuple[int, Rank, Kept]] = {}
        self._plain = False  # the wordings are of posts that state
        self._best: tuple[int, Rank, Kept] | None = None
        self._headline: str | None = ""
        # For the exemplars
        self._first: Kept | None = None
        self._correction: Kept | None = None
        self._enquiry: Kept | None = None
        self._denial: Kept | None = None
        self._reach: Kept | None = None
        self._newest: Kept | None = None
        self._varied: dict[int, Kept] = {}  # wording -> first post with a text; as many as shown
        self._exemplars: list[Exemplar] | None = []

    def follow(self, kept: Sequence[Kept]) -> None:
        """Take up the posts that were kept since the last time."""
        for place in range(self._read, len(kept)):
            self._add(kept[place])
            self._entitle(kept[place], place)
            self._exemplars = None
        self._read = len(kept)

    def _add(self, post: Kept) -> None:
        at, post_id = post.created_at, post.id
        if self._first is None or (at, post_id) < (self._first.created_at, self._first.id):
            self._first = post
        if self._newest is None or (at, post_id) > (self._newest.created_at, self._newest.id):
            self._newest = post
        most = self._reach
        if most is None or (post.reach, -at, post_id) > (most.reach, -most.created_at, most.id):
            self._reach = post
        if post.kind == 2 and self._correction is None:
            self._correction = post
        if post.flags & _ENQUIRY and self._enquiry is None:
            self._enquiry = post
        if post.flags & _DENIAL and self._denial is None:
            self._denial = post
        room = len(self._varied) < EXEMPLARS and post.text and post.wording not in self._varied
        if room and self._varies(post):
            self._varied[post.wording] = post

    def _alike(self, post: Kept, other: Kept) -> bool:
        """Whether one of two posts is enough to show."""
        return post.wording == other.wording

    def _varies(self, post: Kept) -> bool:
        """Whether a wording that is not among the varied ones may be."""
        return True

    def _entitle(self, post: Kept, place: int) -> None:
        if not post.words:
            return
        states = not post.flags & _TALK and post.kind != 2
        if states and not self._plain:
            self._plain = True
            self._forget()
        elif self._plain and not states:
            return
        self._weigh(post, place)

    def _forget(self) -> None:
        """Posts that only ask or deny make no headline any more."""
        self._wordings, self._best = {}, None

    def _weigh(self, post: Kept, place: int) -> None:
        rank = (post.words, -post.created_at, post.id, -place)
        uses, best, chosen = self._wordings.get(post.wording, (0, rank, post))
        if rank > best:
            best, chosen = rank, post
        now = self._wordings[post.wording] = (uses + 1, best, chosen)
        if self._best is None or now[:2] > self._best[:2]:
            self._best, self._headline = now, None

    @property
    def headline(self) -> str:
        """The most shared wording that states rather than asks or denies; then the first one."""
        if self._headline is None:
            best = self._title()
            text = " ".join(best.text.split()) if best else ""
            cut = text if len(text) <= HEADLINE else text[: HEADLINE - 1].rstrip() + "…"
            self._headline = cut
        return self._headline

    def _title(self) -> Kept | None:
        return self._best[2] if self._best else None

    @property
    def exemplars(self) -> list[Exemplar]:
        """At most ten posts of different wordings: first, correction, enquiry, denial, newest, ..."""
        if self._exemplars is None:
            self._exemplars = self._chosen()
        return self._exemplars

    def _chosen(self) -> list[Exemplar]:
        chosen: list[tuple[Kept, str]] = []

        def show(post: Kept | None, why: str) -> None:
            if post is None or len(chosen) == EXEMPLARS or not post.text:
                return
            if not any(self._alike(post, other) for other, _ in chosen):
                chosen.append((post, why))

        show(self._first, "first")
        show(self._correction, "correction")
        show(self._enquiry, "enquiry")
        show(self._denial, "denial")
        show(self._reach, "most reach")
        show(self._newest, "newest")
        for post in self._varied.values():
            if len(chosen) == EXEMPLARS:
                break
            show(post, "varied")
        return [
            Exemplar(
                source=post.source,
                post_id=post.id,
                text=post.text,
                created_at=post.created_at,
                why=why,
            )
            for post, why in chosen
        ]


class ShownOfAlert(Shown):
    """What an analyst reads first: the most central post, and no two that are near-copies."""

    def __init__(self) -> None:
        super().__init__()
        self._central = Central()  # of the posts that state; of all while none does
        self._words: dict[int, tuple[str, ...]] = {}  # wording -> words, of the first wordings

    def _of(self, post: Kept) -> tuple[str, ...]:
        words = self._words.get(post.wording)
        if words is None:
            words = words_in(post.text)
            if len(self._words) < WORDINGS_READ:
                self._words[post.wording] = words
        return words

    def _varies(self, post: Kept) -> bool:
        return not any(self._alike(post, other) for other in self._varied.values())

    def _alike(self, post: Kept, other: Kept) -> bool:
        return near_copies(self._of(post), self._of(other))

    def _forget(self) -> None:
        self._central = Central()

    def _weigh(self, post: Kept, place: int) -> None:
        if self._central.takes(post) and self._central.add(post, self._of(post)):
            self._headline = None

    def _title(self) -> Kept | None:
        return self._central.best
