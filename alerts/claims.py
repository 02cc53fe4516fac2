"""Known claims: verified before, by this desk or by another, and met again in any language.

A rumor is compared with each text of a claim. In the language of most of the rumor's posts, likeness is two
thirds cosine of the dense parts and one third cosine of the words; across languages, where words say
nothing, the dense cosine alone [bench.claims: one pair of thresholds then serves both].
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from alerts.micros import Micros
from alerts.parameters import AlertParameters
from alerts.rumor import Rumor
from streams.documents import ClaimDocument, ClaimMatch, ClaimText
from streams.grid import GRID, quantise
from streams.inputs import ClaimRecord

MOST = 20_000
"""Claims that are kept; each takes about 2 kB of state. A checker publishes a few thousand a year."""

MEANING = 2 / 3
"""Weight of the dense cosine beside the words'."""


CLAIM_LEAD = 0.08
"""Across languages a claim leads every other one by this much: without words each has a nearest one.
[bench.claims]"""

SAME_CLAIM = 0.70
"""Cosine of two claims' meanings from which they are one claim out of two sources, and no rivals."""

TELLINGS = 5
"""Micro-clusters of a rumor that its own claim is told by, besides all of it. [bench.claims]"""


class Sums(msgspec.Struct):
    """The texts of a claim as sums, in the form of micro-clusters'. t texts, m features in all."""

    dense: np.ndarray  # int64 (t, d)
    posts: np.ndarray  # int64 (t,): vectors in each
    ends: np.ndarray  # int64 (t,): features of text i are [ends[i-1], ends[i])
    features: np.ndarray  # uint32 (m,)
    sums: np.ndarray  # int64 (m,)


class Claims:
    """What is known, by id."""

    def __init__(self, encoder: str) -> None:
        self._encoder = encoder
        self._documents: dict[str, ClaimDocument] = {}
        self._sums: dict[str, Sums] = {}

    def get(self, claim_id: str) -> ClaimDocument | None:
        return self._documents.get(claim_id)

    def bring(self, record: ClaimRecord, version: int) -> ClaimDocument | str:
        """Take a record up, in place of an older one of its claim; else why not."""
        if record.encoder != self._encoder:
            return (
                f"the claim was embedded with {record.encoder}, this road works with "
                f"{self._encoder}: import it again under the road's settings"
            )
        if not record.texts or not all(text.strip() for text in record.texts):
            return "the claim has no text"
        stands = self._documents.get(record.claim)
        if stands is None and len(self._documents) >= MOST:
            return f"{MOST} claims are known already, no more are kept: import those that matter"
        ends = record.feature_ends
        self._sums[record.claim] = Sums(
            dense=quantise(record.dense).astype(np.int64),
            posts=np.ones(len(record.texts), np.int64),
            ends=ends.astype(np.int64),
            features=record.features.copy(),
            sums=np.rint((1.0 + np.log(np.maximum(record.feature_counts, 1.0))) * 64).astype(
                np.int64
            ),
        )
        return self._keep(
            ClaimDocument(
                claim_id=record.claim,
                version=version,
                since=stands.since if stands else record.at,
                texts=[
                    ClaimText(text=text, lang=lang)
                    for text, lang in zip(record.texts, record.lang, strict=True)
                ],
                verdict=record.verdict,
                rating=record.rating,
                source=record.source,
                published_at=record.published_at,
                correction=record.correction,
                link=record.link,
                origin="import",
                alert_id=None,
                encoder=self._encoder,
                muted=bool(stands and stands.muted),
                returned=stands.returned if stands else 0,
            )
        )

    def own(self, document: ClaimDocument, rumor: Rumor, micros: Micros) -> ClaimDocument:
        """A claim of this desk, in the words of the rumor that told it: all of it, and apart the largest
        of its micro-clusters, so that one of its tellings alone is met as well."""
        stands = self._documents.get(document.claim_id)
        first = {post.micro: post for post in reversed(rumor.kept)}
        rows = [row for row in micros.of_rumor(rumor.number).tolist() if micros.ids[row] in first]
        rows.sort(key=lambda row: (-micros.texts_of(np.array([row])), row))
        told = rows[:TELLINGS] if len(rows) > 1 else []  # else it is all of it
        self._sums[document.claim_id] = _together(
            [
                micros.sums(micros.of_rumor(rumor.number)),
                *(micros.sums(np.array([r])) for r in told),
            ]
        )
        posts = [first[micros.ids[row]] for row in told]
        document = msgspec.structs.replace(
            document,
            texts=[*document.texts, *(ClaimText(text=p.text, lang=p.lang) for p in posts)],
        )
        if stands is not None:
            document = msgspec.structs.replace(
                document, since=stands.since, returned=stands.returned
            )
        return self._keep(document)

    def change(self, claim_id: str, version: int, **values: Any) -> ClaimDocument:
        """Other values for a claim that is known."""
        stands = self._documents[claim_id]
        return self._keep(msgspec.structs.replace(stands, version=version, **values))

    def _keep(self, document: ClaimDocument) -> ClaimDocument:
        self._documents[document.claim_id] = document
        return document

    def match(
        self, rumor: Rumor, micros: Micros, parameters: AlertParameters, only: str | None = None
    ) -> ClaimMatch | None:
        """The nearest claim to a rumor (ties: known first), if it reaches the threshold of an offer and,
        across languages, leads the others.

        `only`: the one claim that is asked for. An alert does not meet its own verdict.
        """
        own = rumor.alert.alert_id if rumor.alert else ""
        chosen = [d for d in self._documents.values() if not own or d.alert_id != own]
        rows = micros.of_rumor(rumor.number)
        if not chosen or not len(rows):
            return None
        meaning, words = self._texts(chosen, rows, micros)
        texts = [(number, text) for number, one in enumerate(chosen) for text in one.texts]
        dense, lexical = _against(meaning, -1), _against(words, -1)
        likeness = np.array(
            [
                _likeness(text.lang, rumor, float(dense[at]), float(lexical[at]))
                for at, (_, text) in enumerate(texts)
            ]
        )
        at = int(likeness.argmax())
        best, nearest = float(likeness[at]), texts[at][0]
        if best < parameters.claim_offer or only not in (None, chosen[nearest].claim_id):
            return None
        if _across(texts[at][1].lang, rumor):
            rivals = (likeness > best - CLAIM_LEAD) & (_against(meaning, at)[:-1] < SAME_CLAIM)
            if any(texts[rival][0] != nearest for rival in np.flatnonzero(rivals).tolist()):
                return None
        found = chosen[nearest]
        return ClaimMatch(
            claim_id=found.claim_id,
            similarity=round(best, 4),
            certain=best >= parameters.claim_certain,
            text=found.texts[0].text,
            verdict=found.verdict,
            source=found.source,
            published_at=found.published_at,
            correction=found.correction,
            link=found.link,
        )

    def _texts(
        self, chosen: list[ClaimDocument], rows: np.ndarray, micros: Micros
    ) -> tuple[np.ndarray, np.ndarray]:
        """Dense and lexical rows of every text and, last, of the rumor; float64 (t + 1, ...)."""
        all_sums = [self._sums[document.claim_id] for document in chosen]
        dense, posts, features, sums = micros.sums(rows)
        sizes = np.concatenate(
            [np.diff(one.ends, prepend=0) for one in all_sums] + [[len(features)]]
        )
        return micros.learnt.parts(
            np.concatenate([one.dense for one in all_sums] + [dense[None, :]]),
            np.concatenate([one.posts for one in all_sums] + [np.array([posts])]),
            np.repeat(np.arange(len(sizes)), sizes),
            np.concatenate([one.features for one in all_sums] + [features]),
            np.concatenate([one.sums for one in all_sums] + [sums]),
        )

    def state(self) -> list[list[Any]]:
        return [
            [msgspec.to_builtins(self._documents[name]), *_arrays(self._sums[name])]
            for name in self._documents
        ]

    def restore(self, state: list[list[Any]]) -> None:
        self._documents, self._sums = {}, {}
        for document, *arrays in state:
            kept = msgspec.convert(document, ClaimDocument)
            self._documents[kept.claim_id] = kept
            self._sums[kept.claim_id] = Sums(*arrays)


def _together(parts: list[tuple[np.ndarray, int, np.ndarray, np.ndarray]]) -> Sums:
    """Several sums as the texts of one claim; each as `Micros.sums` gives it."""
    dense, posts, features, sums = zip(*parts, strict=True)
    return Sums(
        dense=np.stack(dense),
        posts=np.array(posts),
        ends=np.cumsum([len(one) for one in features]),
        features=np.concatenate(features),
        sums=np.concatenate(sums),
    )


def _across(lang: str, rumor: Rumor) -> bool:
    """Whether a text speaks another language than most of the rumor's posts."""
    spoken = rumor.main_language
    return lang != spoken and "und" not in (lang, spoken)


def _likeness(lang: str, rumor: Rumor, meaning: float, words: float) -> float:
    if meaning < -1.5:  # no encoder: words are all there is
        return words
    if _across(lang, rumor):
        return meaning
    return MEANING * meaning + (1 - MEANING) * words


def _against(rows: np.ndarray, at: int) -> np.ndarray:
    """Cosines of all rows with one, of whole numbers: exact in any order of addition; -2: no dense part."""
    if not rows.shape[1]:
        return np.full(len(rows), -2.0)
    whole = np.rint(rows * GRID)
    lengths = np.sqrt(np.einsum("ij,ij->i", whole, whole))
    lengths[lengths == 0] = 1.0
    return np.asarray((whole @ whole[at]) / (lengths * lengths[at]))


def _arrays(sums: Sums) -> list[np.ndarray]:
    return [sums.dense, sums.posts, sums.ends, sums.features, sums.sums]
