"""Claims out of files, embedded as posts are, as records for the road."""

from __future__ import annotations

import hashlib
import json

import msgspec
import numpy as np

from embeddings.door import Door, build_frame
from streams.inputs import ClaimRecord
from streams.records import PostColumns
from streams.sources.claims import FoundClaim
from streams.validation import InputRecord

_encode = msgspec.msgpack.Encoder().encode


def records_of(found: list[FoundClaim], door: Door, *, who: str, at: int) -> list[ClaimRecord]:
    """One record for each claim. The same claim with the same content has the same record id."""
    texts = [(number, *text) for number, claim in enumerate(found) for text in claim.texts]
    entries = [
        (
            place,
            InputRecord(source="claims", input=f"claim {number}", raw=_raw(place, text, lang, at)),
        )
        for place, (number, text, lang) in enumerate(texts)
    ]
    embedded = build_frame(door, entries, origin="claims", partition=0)
    assert not embedded.dead, embedded.dead
    owner = [number for number, _, _ in texts]
    return [
        _record(claim, embedded.frame.posts, [i for i, n in enumerate(owner) if n == number], door, who, at)
        for number, claim in enumerate(found)
    ]  # fmt: skip


def _raw(place: int, text: str, lang: str | None, at: int) -> bytes:
    return json.dumps(
        {"id": str(place), "text": text, "created_at": at, **({"lang": lang} if lang else {})}
    ).encode()


def _record(
    claim: FoundClaim, posts: PostColumns, rows: list[int], door: Door, who: str, at: int
) -> ClaimRecord:
    starts = np.concatenate([[0], posts.feature_ends[:-1]])
    spans = [np.arange(starts[row], posts.feature_ends[row]) for row in rows]
    chosen = np.concatenate(spans).astype(np.int64)
    content = _encode([claim, door.identity])
    return ClaimRecord(
        id=f"{claim.claim}-{hashlib.blake2b(content, digest_size=8).hexdigest()}",
        claim=claim.claim,
        who=who,
        at=at,
        texts=[posts.text[row] for row in rows],
        lang=[posts.lang[row] for row in rows],
        encoder=door.identity,
        feature_ends=np.cumsum([len(span) for span in spans], dtype=np.int64),
        features=posts.features[chosen],
        feature_counts=posts.feature_counts[chosen],
        dense=posts.dense[rows],
        verdict=claim.verdict,
        rating=claim.rating,
        source=claim.source,
        published_at=claim.published_at,
        correction=claim.correction,
        link=claim.link,
    )
