"""From a post's own time until search finds it: asked of the store, for one post after the other."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Iterable

from agents.kafka.lane import Lane
from agents.kafka.metrics import Metrics
from stores import Store, StoreError
from streams.documents import PostDocument

RUMORS = 10_000  # rumors whose newest post is remembered
ASK_S = 0.05  # between two questions
GIVE_UP_S = 60.0  # the store is away, which has a metric of its own

log = logging.getLogger(__name__)


class Newcomers:
    """Tells posts that join a rumor with stored posts from those that come with it or are moved."""

    def __init__(self) -> None:
        self._newest: OrderedDict[str, int] = OrderedDict()  # rumor -> time of its newest post, ms

    def joined(self, posts: Iterable[PostDocument]) -> PostDocument | None:
        """The newest of the posts that joined a rumor of an earlier delivery; None without one."""
        found: PostDocument | None = None
        seen: dict[str, int] = {}
        for post in posts:
            before = self._newest.get(post.rumor_id)
            seen[post.rumor_id] = max(seen.get(post.rumor_id, post.created_at), post.created_at)
            later = before is not None and post.created_at > before
            if later and (found is None or post.created_at > found.created_at):
                found = post
        for rumor, at in seen.items():
            self._newest[rumor] = max(self._newest.get(rumor, at), at)
            self._newest.move_to_end(rumor)
        while len(self._newest) > RUMORS:
            self._newest.popitem(last=False)
        return found


class Probe:
    """Asks the store for a newcomer until search finds it; one at a time, beside the stage."""

    def __init__(self, store: Store, metrics: Metrics) -> None:
        self._store = store
        self._seconds = metrics.post_to_searchable
        self._newcomers = Newcomers()
        self._lane = Lane("searchable")  # of its own: it must not hold up the writing
        self._asking: asyncio.Task[None] | None = None

    def written(self, posts: list[PostDocument]) -> None:
        """Posts that the store has just taken."""
        post = self._newcomers.joined(posts)
        if post is not None and (self._asking is None or self._asking.done()):
            self._asking = asyncio.ensure_future(self._ask(post))

    async def _ask(self, post: PostDocument) -> None:
        # SQLite shows at once what a write has stored.
        searchable = getattr(self._store, "searchable", None)
        end = time.monotonic() + GIVE_UP_S
        try:
            while searchable is not None and not await self._lane.run(searchable, post):
                if time.monotonic() > end:
                    return
                await asyncio.sleep(ASK_S)
        except StoreError as error:
            log.debug("no answer whether a post can be found: %s", error)
            return
        self._seconds.observe(max(time.time() - post.created_at / 1000, 0.0))
