"""What an analyst's split does to a rumor: which posts go, and the sums that go with them."""

from __future__ import annotations

from typing import Any, NamedTuple

from alerts.parameters import POSTS_KEPT
from alerts.placed import Placed
from alerts.rumor import Kept, Rumor
from streams.documents import post_key
from streams.records import DoorPost


class Awaited(NamedTuple):
    """A micro-cluster that a cluster fold was told to open."""

    rumor: int  # number of the rumor that it belongs to
    leaves: str  # the micro-cluster out of which it comes


class Expected:
    """Micro-clusters on their way, by id: until they come, or that which they leave has aged out."""

    def __init__(self) -> None:
        self._awaited: dict[str, Awaited] = {}

    def add(self, name: str, awaited: Awaited) -> None:
        self._awaited[name] = awaited

    def pop(self, name: str) -> int | None:
        """The number of the rumor of a micro-cluster that came; None for any other."""
        found = self._awaited.pop(name, None)
        return None if found is None else found.rumor

    def knows(self, name: str) -> bool:
        return name in self._awaited

    def turn(self, name: str, rumor: int) -> None:
        """It will belong to another rumor, if it is still on its way."""
        if name in self._awaited:
            self._awaited[name] = self._awaited[name]._replace(rumor=rumor)

    def move(self, heir: int, loser: int) -> None:
        """A rumor was merged."""
        if self._awaited:
            self._awaited = {
                name: one._replace(rumor=heir) if one.rumor == loser else one
                for name, one in self._awaited.items()
            }

    def lost(self, aged: list[str]) -> set[int]:
        """Rumors whose expectations ended with what they were to come out of."""
        if not self._awaited:
            return set()
        gone = {name: one for name, one in self._awaited.items() if one.leaves in set(aged)}
        for name in gone:
            del self._awaited[name]
        return {one.rumor for one in gone.values()}

    def has(self, rumor: int) -> bool:
        return any(one.rumor == rumor for one in self._awaited.values())

    def state(self) -> list[Any]:
        return [[name, *self._awaited[name]] for name in sorted(self._awaited)]

    def restore(self, state: list[Any]) -> None:
        self._awaited = {name: Awaited(*rest) for name, *rest in state}


def chosen(rumor: Rumor, names: list[str]) -> set[int] | str:
    """Places among the kept posts of those that are named, of their exact copies and their reposts.

    Else why it cannot be split so.
    """
    if not names:
        return "split needs the ids of the posts that make another claim"
    ids = {post_id for _, post_id in rumor.posts}
    if unknown := [name for name in names if name not in ids]:
        return f"{unknown[0]} is no post of {rumor.id}: see the rumor's posts"
    kept = {post.id for post in rumor.kept}
    if away := [name for name in names if name not in kept]:
        return (
            f"{away[0]} is not among the first {POSTS_KEPT} posts of {rumor.id}, which alone can be "
            "named: name one of those that says the same"
        )
    wanted = set(names)
    own = [post for post in rumor.kept if post.id in wanted]
    wordings = {post.wording for post in own if post.wording}
    keys = {post_key(post.source, post.id) for post in own}
    going = {
        at
        for at, post in enumerate(rumor.kept)
        if post.id in wanted
        or post.wording in wordings
        or (post.repost_of is not None and post_key(post.source, post.repost_of) in keys)
    }
    if len(going) == rumor.posts.count:
        return f"that is all of {rumor.id}, copies and reposts with them: nothing would stay"
    return going


def carve(rumor: Rumor, going: set[int], part: Rumor) -> None:
    """Take kept posts out of a rumor's sums and into those of a new one.

    Sums of all posts are exact. Of posts that are no longer kept the rumor does not know the voice: a
    voice leaves it when all its posts that are kept do.
    """
    whole = len(rumor.kept) == rumor.posts.count
    places = set()
    for at in sorted(going, key=lambda at: rumor.marks[at][0]):
        place, voice = rumor.marks[at]
        part.take(rumor.kept[at], voice, place)
        places.add(place)
    rumor.posts = Placed(one for one in rumor.posts if one[0] not in places)
    staying = [at for at in range(len(rumor.kept)) if at not in going]
    rumor.kept = [rumor.kept[at] for at in staying]
    rumor.marks = [rumor.marks[at] for at in staying]
    for sums, less in (
        (rumor.languages, part.languages),
        (rumor.platforms, part.platforms),
        (rumor.communities, part.communities),
        (rumor.categories, part.categories),
        (rumor.kinds, part.kinds),
        (rumor.flags, part.flags),
        (rumor.timeline, part.timeline),
    ):
        _subtract(sums, less)
    rumor.window = None
    rumor.vector = b""
    rumor.reach -= part.reach
    for key in part.voices.newest:
        rumor.voices.newest.pop(key, None)
    for key in part.wordings.newest:
        rumor.wordings.newest.pop(key, None)
    for post, (_, voice) in zip(rumor.kept, rumor.marks, strict=True):
        rumor.hear(post, voice)
    if whole:
        rumor.first_at = min(post.created_at for post in rumor.kept)
        rumor.last_at = max(post.created_at for post in rumor.kept)
    rumor.measured = part.measured = 0


def _subtract(sums: dict[Any, int], less: dict[Any, int]) -> None:
    for name, n in less.items():
        left = sums.get(name, 0) - n
        if left > 0:
            sums[name] = left
        else:  # a bucket may have been let go of before
            sums.pop(name, None)


def as_left_the_door(post: Kept, voice: int) -> DoorPost:
    """The post again as the door let it in."""
    return DoorPost(
        source=post.source,
        id=post.id,
        created_at=post.created_at,
        text=post.text,
        lang=post.lang,
        voice=voice,
        wording=post.wording,
        flags=post.flags,
        kind=post.kind,
        reach=post.reach,
        platform=post.platform,
        community=post.community,
        url=post.url,
        reply_to=post.reply_to,
        repost_of=post.repost_of,
    )
