"""What was folded since the last change, and how it becomes one."""

from __future__ import annotations

from typing import Any

import numpy as np

from clusters.weights import Texts
from streams.records import Change, ChangeRows, MicroDelta, Outcome, PostColumns

_LISTS = (
    "source",
    "id",
    "lang",
    "platform",
    "community",
    "url",
    "reply_to",
    "repost_of",
    "category",
)
_ARRAYS = ("created_at", "voice", "wording", "flags", "sure", "kind", "reach")


class Pending:
    """Rows and raw sums that the next change will carry."""

    def __init__(self, dim: int) -> None:
        self._dim = dim
        self._clear()

    def _clear(self) -> None:
        self._rows: list[ChangeRows] = []
        self._micro_ids: list[str] = []
        self._micro_index: dict[str, int] = {}
        # For the vectors that entered the sums: micro-cluster, features, weights; dense rows.
        self._features: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self._dense: list[tuple[np.ndarray, np.ndarray]] = []
        self._withdrawn: list[tuple[np.ndarray, np.ndarray]] = []  # dense rows that leave
        self.dead = 0
        self.aged: list[str] = []

    @property
    def empty(self) -> bool:
        return not (self._rows or self.dead or self.aged)

    def _index(self, micro_id: str) -> int:
        at = self._micro_index.get(micro_id)
        if at is None:
            at = self._micro_index[micro_id] = len(self._micro_ids)
            self._micro_ids.append(micro_id)
        return at

    def rows(
        self,
        posts: PostColumns,
        rows: list[int],
        outcomes: list[Outcome],
        micros: list[str | None],
        duplicates: list[str | None],
    ) -> None:
        """Rows of a frame, ascending, in folded order, with what became of each."""
        columns: dict[str, Any]
        if rows[-1] - rows[0] + 1 == len(rows):
            span = slice(rows[0], rows[-1] + 1)
            columns = {name: getattr(posts, name)[span] for name in _LISTS + _ARRAYS}
        else:
            columns = {name: [getattr(posts, name)[i] for i in rows] for name in _LISTS}
            columns |= {name: getattr(posts, name)[rows] for name in _ARRAYS}
        self._rows.append(
            ChangeRows(
                **columns,
                text=[
                    posts.text[i] if o == Outcome.FOLDED else ""
                    for i, o in zip(rows, outcomes, strict=True)
                ],
                duplicate_of=duplicates,
                outcome=np.array(outcomes, np.uint8),
                micro=np.array([-1 if m is None else self._index(m) for m in micros], np.int32),
            )
        )

    def vectors(self, texts: Texts, micros: list[str]) -> None:
        """Posts whose words and dense part enter the sums of their micro-clusters."""
        index = np.array([self._index(m) for m in micros], np.int64)
        weight = np.rint(texts.use * 64).astype(np.int64)
        self._features.append((index[texts.text], texts.features, weight))
        self._dense.append((index, texts.steps))

    def withdraw(self, texts: Texts, micros: list[str]) -> None:
        """Posts that leave the sums of micro-clusters. A change takes them up before the next frame."""
        index = np.array([self._index(m) for m in micros], np.int64)
        weight = -np.rint(texts.use * 64).astype(np.int64)
        self._features.append((index[texts.text], texts.features, weight))
        self._withdrawn.append((index, texts.steps))

    def take(self, *, partition: int, sequence: int, watermark: int, encoder: str) -> Change:
        """The change, leaving nothing pending."""
        change = Change(
            partition=partition,
            sequence=sequence,
            watermark=watermark,
            encoder=encoder,
            dead=self.dead,
            micros=self._delta(),
            rows=_concatenate(self._rows),
            aged=self.aged,
        )
        self._clear()
        return change

    def _delta(self) -> MicroDelta:
        k = len(self._micro_ids)
        if not self._features:
            return _without_vectors(self._micro_ids, self._dim)
        dense = np.zeros((k, self._dim), np.int32)
        vectors = [0] * k
        for sign, parts in ((1, self._dense), (-1, self._withdrawn)):
            for index, rows in parts:
                for at, row in zip(index.tolist(), rows, strict=True):
                    dense[at] += sign * row
                    vectors[at] += sign
        if sum(map(abs, vectors)) == len(self._features) == 1 and not self._withdrawn:
            return self._of_one(dense, vectors)
        if len(self._features) == 1:
            ((micro, feature, weight),) = self._features
        else:
            micro, feature, weight = (np.concatenate(c) for c in zip(*self._features, strict=True))
        key = (micro.astype(np.uint64) << np.uint64(32)) | feature
        order = key.argsort()
        key = key[order]
        first = np.ones(len(key), np.bool_)
        np.not_equal(key[1:], key[:-1], out=first[1:])
        starts = first.nonzero()[0]
        distinct = key[starts]
        posts = np.diff(starts, append=len(key))
        if self._withdrawn:
            posts = np.add.reduceat(np.sign(weight[order]), starts) if len(starts) else posts
        sums = np.add.reduceat(weight[order], starts) if len(starts) else weight
        return MicroDelta(
            id=self._micro_ids,
            dense=dense,
            vectors=np.array(vectors, np.int32),
            feature_ends=np.searchsorted(
                distinct, (np.arange(k, dtype=np.uint64) + 1) << np.uint64(32)
            ).astype(np.int64),
            features=(distinct & np.uint64(0xFFFFFFFF)).astype(np.uint32),
            feature_sums=sums.astype(np.int32),
            feature_posts=posts.astype(np.int32),
        )

    def _of_one(self, dense: np.ndarray, vectors: list[int]) -> MicroDelta:
        """The sums of one post, the common case of a quiet stream: its features are in order already."""
        ((_, features, weight),) = self._features
        at = vectors.index(1)
        return MicroDelta(
            id=self._micro_ids,
            dense=dense,
            vectors=np.array(vectors, np.int32),
            feature_ends=np.array([len(features) if i >= at else 0 for i in range(len(vectors))]),
            features=features,
            feature_sums=weight.astype(np.int32),
            feature_posts=np.ones(len(features), np.int32),
        )

    def state(self) -> dict[str, Any]:
        assert not self._withdrawn
        return {
            "change": self._as_state(),
            "features": [np.concatenate(c) for c in zip(*self._features, strict=True)],
            "dense": [np.concatenate(c) for c in zip(*self._dense, strict=True)],
        }

    def _as_state(self) -> dict[str, Any]:
        rows = _concatenate(self._rows)
        return {
            "rows": {name: getattr(rows, name) for name in ChangeRows.__struct_fields__},
            "micro_ids": self._micro_ids,
            "dead": self.dead,
            "aged": self.aged,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._clear()
        change = state["change"]
        rows = ChangeRows(**change["rows"])
        self._rows = [rows] if len(rows) else []
        self._micro_ids = list(change["micro_ids"])
        self._micro_index = {m: i for i, m in enumerate(self._micro_ids)}
        self.dead, self.aged = change["dead"], list(change["aged"])
        if state["features"]:
            micro, feature, weight = state["features"]
            self._features = [(micro, feature, weight)]
        if state["dense"]:
            index, dense = state["dense"]
            self._dense = [(index, dense)]


def _without_vectors(ids: list[str], dim: int) -> MicroDelta:
    """Micro-clusters that were only followed; in a quiet stream mostly none at all."""
    counts = np.zeros(0, np.int32)
    return MicroDelta(
        id=ids,
        dense=np.zeros((len(ids), dim), np.int32),
        vectors=np.zeros(len(ids), np.int32),
        feature_ends=np.zeros(len(ids), np.int64),
        features=np.zeros(0, np.uint32),
        feature_sums=counts,
        feature_posts=counts,
    )


def _concatenate(parts: list[ChangeRows]) -> ChangeRows:
    if len(parts) == 1:
        return parts[0]
    fields: dict[str, Any] = {}
    for name in ChangeRows.__struct_fields__:
        columns = [getattr(p, name) for p in parts]
        if columns and isinstance(columns[0], np.ndarray):
            fields[name] = np.concatenate(columns)
        elif columns:
            fields[name] = [x for c in columns for x in c]
        else:
            fields[name] = np.zeros(0, _DTYPES[name]) if name in _DTYPES else []
    return ChangeRows(**fields)


_DTYPES: dict[str, type] = {
    "outcome": np.uint8,
    "micro": np.int32,
    "created_at": np.int64,
    "voice": np.uint64,
    "wording": np.uint64,
    "flags": np.uint32,
    "sure": np.uint8,
    "kind": np.uint8,
    "reach": np.int64,
}
