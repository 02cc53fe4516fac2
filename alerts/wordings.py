"""Wordings held against each other: near-copies, and the most central one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from sys import intern

from alerts.parameters import SAYING
from alerts.rumor import Kept

NEAR_COPY = 0.70
"""Share of the words of two posts that both have (resemblance, Broder 1997) from which one is a near-copy
of the other. Retyped screenshots, other diacritics and a word more are above it. [design]"""

WORDINGS_READ = 64
"""Different wordings among which the most central is chosen, the first ones."""

# A mask's token is no word; scripts without spaces give characters.
_WORD = re.compile(r"\[[a-z]+\]|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W\d_]+")
_LINK = re.compile(r"https?://\S+|[@#]\w+")
_MARKS = re.compile("[\u0300-\u036f]+")


def words_in(text: str) -> tuple[str, ...]:
    """The different words of a masked text, sorted, without diacritics, links, mentions and digits."""
    text = text.lower()
    if "/" in text or "@" in text or "#" in text:
        text = _LINK.sub(" ", text)
    if not text.isascii():
        text = _MARKS.sub("", unicodedata.normalize("NFD", text)).replace("đ", "d")
    # Interned, for they are kept of many posts and say the same.
    return tuple(sorted({intern(word) for word in _WORD.findall(text) if word[0] != "["}))


def near_copies(a: Sequence[str], b: Sequence[str]) -> bool:
    """Whether two posts, by their words, say the same in nearly the same words."""
    common = len(set(a).intersection(b))
    return common >= NEAR_COPY * (len(a) + len(b) - common)


class Central:
    """The post that says most of what the others say: a centroid of words (Radev et al. 2004).

    A wording's score is the sum over its words of the squared number of posts with the word, over the root of
    its length, so that neither a fragment nor an essay wins; ties to the most copied, then the earliest. It
    is chosen at fixed counts of posts, so that the choice follows from the posts alone.
    """

    def __init__(self) -> None:
        self._posts = 0
        self._due = 1
        self._uses: dict[int, int] = {}  # wording -> posts
        self._first: dict[
            int, tuple[Kept, tuple[str, ...]]
        ] = {}  # its earliest post, and its words
        self.best: Kept | None = None

    def takes(self, post: Kept) -> bool:
        """Whether a post's wording is among those that are read."""
        return post.wording in self._first or len(self._first) < WORDINGS_READ

    def add(self, post: Kept, words: tuple[str, ...]) -> bool:
        """Take up a post with words; whether another one may be central now."""
        known = self._first.get(post.wording)
        if known is None or (post.created_at, post.id) < (known[0].created_at, known[0].id):
            self._first[post.wording] = post, words
        self._uses[post.wording] = self._uses.get(post.wording, 0) + 1
        self._posts += 1
        if self._posts < self._due:
            return False
        self._due = max(self._posts + 1, self._posts * 5 // 4)
        self.best = self._chosen()
        return True

    def _chosen(self) -> Kept:
        if len(self._first) == 1:
            return next(iter(self._first.values()))[0]
        posts: dict[str, int] = {}
        for wording, (_, words) in self._first.items():
            uses = self._uses[wording]
            for word in words:
                posts[word] = posts.get(word, 0) + uses
        weight = {word: n * n for word, n in posts.items()}

        def rank(wording: int) -> tuple[float, int, int, str]:
            post, words = self._first[wording]
            central = sum([weight[word] for word in words]) / max(len(words), SAYING) ** 0.5
            return central, self._uses[wording], -post.created_at, post.id

        return self._first[max(self._first, key=rank)][0]
