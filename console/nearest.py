"""Rumors that say something similar: "has this been told before?"."""

from __future__ import annotations

from dataclasses import dataclass

from console.language import Language
from stores.base import Store

SHOWN = 5
LEAST = 0.5
"""Cosine in meaning below which nothing is shown: the link across languages begins there
(`alert.link_threshold`)."""


@dataclass(frozen=True)
class NearRow:
    path: str
    headline: str
    likeness: str
    posts: int
    last_at: int
    open: bool
    level: str


def nearest(store: Store, rumor_id: str, words: Language) -> list[NearRow]:
    """The nearest in meaning, closed ones too; their alerts where they have one."""
    return [
        NearRow(
            path=f"/alerts/{near.rumor.alert_id}"
            if near.rumor.alert_id
            else f"/rumors/{near.rumor.rumor_id}",
            headline=near.rumor.headline,
            likeness=words.number(round(near.cosine, 2)),
            posts=near.rumor.posts,
            last_at=near.rumor.last_post_at,
            open=near.rumor.open,
            level=near.rumor.level or "",
        )
        for near in store.similar(rumor_id, limit=SHOWN)
        if near.cosine >= LEAST
    ]
