"""The desk's own decisions as labels: every analyst's action says what belongs together and what does not.

A verdict says that an alert was right and its posts one story, and so does raising one by hand; a merge
that the posts of both rumors are one; a split that those of its two rumors are not; a dismissal that the
alert was wrong and its posts no story. What the desk never looked at is unknown, which is not the same as
no story: it takes no part in any score.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np

from evaluation.errors import EvaluationError
from evaluation.gold import Gold, GoldFile
from stores import Store
from streams.documents import AuditDocument, PostDocument, RumorDocument

MOST_ACTIONS = 10_000
"""The newest; a desk of five needs a year for as many that tell something."""

PAGE = 500
CHAIN = 16  # merges followed to an heir
TELLING = ("verdict", "dismiss", "merge", "split", "raise")
FEW_ACTIONS = 50

T = TypeVar("T")


class LabelledPost(msgspec.Struct, frozen=True, array_like=True):
    source: str
    id: str
    at: int  # ms
    story: str | None  # id of its rumor; None: the desk dismissed it


class DeskLabels(msgspec.Struct, frozen=True):
    posts: list[LabelledPost]
    actions: dict[str, int]  # deed -> how many were taken
    oldest: int  # ms, of those actions
    newest: int

    @property
    def stories(self) -> int:
        return len({post.story for post in self.posts} - {None})

    def described(self, now_ms: int) -> str:
        """One line: number and age."""
        counts = ", ".join(
            f"{self.actions[deed]} {deed}" for deed in TELLING if deed in self.actions
        )
        ages = (f"{max(now_ms - at, 0) / 86_400_000:.0f}" for at in (self.oldest, self.newest))
        return (
            f"{sum(self.actions.values())} actions of the desk ({counts}), {' to '.join(ages)} days old: "
            f"{len(self.posts):,} posts of {self.stories} stories"
        )

    def notices(self) -> Iterator[str]:
        if (found := sum(self.actions.values())) < FEW_ACTIONS:
            yield (
                f"The desk has decided {found} times only: labels of {FEW_ACTIONS} actions or more "
                "begin to tell settings apart."
            )


def desk_labels(store: Store) -> DeskLabels:
    """Read a store. Raises EvaluationError when there is nothing to learn from, StoreError."""
    taken = [one for one in _audit(store) if one.taken and one.deed in (*TELLING, "reopen")]
    story, told = dict[str, str | None](), list[AuditDocument]()
    for one in taken:  # as given, oldest first: the last word holds
        rumors = [name for name in (one.rumor_id, one.given.get("part")) if name]
        for name in rumors:
            if one.deed == "reopen":
                story.pop(name, None)
            else:
                story[name] = None if one.deed == "dismiss" else name
        if one.deed != "reopen":
            told.append(one)
    labels: dict[str, list[LabelledPost]] = {}
    for name, stands in story.items():
        rumor = _heir(store, name)
        if rumor is None or rumor.rumor_id in labels:
            continue  # past its retention, or the heir was asked for
        kept = None if stands is None else rumor.rumor_id
        labels[rumor.rumor_id] = [
            LabelledPost(post.source, post.post_id, post.created_at, kept)
            for post in _posts(store, rumor.rumor_id)
        ]
    posts = [post for group in labels.values() for post in group]
    if len({post.story for post in posts} - {None}) < 2:
        raise EvaluationError(
            f"the desk has told {len(told)} times what belongs together (verdict, raise, merge, split); at "
            "least two stories are needed: use labelled files until it has"
        )
    actions: dict[str, int] = {}
    for one in told:
        actions[one.deed] = actions.get(one.deed, 0) + 1
    times = [one.at for one in told]
    return DeskLabels(posts, actions, min(times), max(times))


def gold_of(labels: DeskLabels) -> Gold:
    """Labels as the evaluation takes them; posts that are not in it are unknown."""
    names = tuple(sorted({post.story for post in labels.posts if post.story is not None}))
    number = {name: at for at, name in enumerate(names)}
    posts = labels.posts
    return Gold(
        files=(GoldFile("the desk's labels", len(posts), 0),),
        stories=names,
        source=[post.source for post in posts],
        post_id=[post.id for post in posts],
        text=[""] * len(posts),
        language=["und"] * len(posts),
        story=np.array([-1 if p.story is None else number[p.story] for p in posts], np.int64),
        time=np.array([post.at / 1000.0 for post in posts]),
        line=np.zeros(len(posts), np.int64),
        file=np.zeros(len(posts), np.int64),
        partial=True,
    )


def write_stretch(store: Store, to: Path) -> int:
    """All posts that a store holds, as a file for a replay, oldest first; how many.

    They are masked, and their authors' pseudonyms are not stored: voices become wordings.
    """
    posts = [
        post
        for rumor in _pages(lambda offset: store.rumors(limit=PAGE, offset=offset))
        for post in _posts(store, rumor.rumor_id)
    ]
    posts.sort(key=lambda post: (post.created_at, post.source, post.post_id))
    with open(to, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(_raw(post), ensure_ascii=False) + "\n" for post in posts)
    return len(posts)


def _raw(post: PostDocument) -> dict[str, object]:
    given = {
        "source": post.source,
        "id": post.post_id,
        "text": post.text,
        "created_at": post.created_at,
        "lang": post.lang,
        "platform": post.platform,
        "community": post.community,
        "url": post.url,
        "reply_to": post.reply_to,
        "repost_of": post.repost_of,
        "reach": post.reach,
        "kind": post.kind,
    }
    return {name: value for name, value in given.items() if value is not None}


def _audit(store: Store) -> list[AuditDocument]:
    """Oldest first."""
    found = list(_pages(lambda offset: store.audit(limit=PAGE, offset=offset), MOST_ACTIONS))
    return found[::-1]


def _posts(store: Store, rumor_id: str) -> Iterator[PostDocument]:
    return _pages(lambda offset: store.posts(rumor_id, limit=PAGE, offset=offset), MOST_ACTIONS)


def _pages(ask: Callable[[int], list[T]], most: int = MOST_ACTIONS) -> Iterator[T]:
    for offset in range(0, most, PAGE):
        page = ask(offset)
        yield from page
        if len(page) < PAGE:
            return


def _heir(store: Store, rumor_id: str) -> RumorDocument | None:
    found = store.rumor(rumor_id)
    for _ in range(CHAIN):
        if found is None or found.merged_into is None:
            return found
        found = store.rumor(found.merged_into)
    return None
