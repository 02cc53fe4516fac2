"""A portion on its way from one process to another: the columns of all its changes joined.

A sparse stream has a change for every post or two, and each holds a dozen arrays: taking hundreds of small
arrays out of a message cost a tenth of a replay. Joined they are as many as one change has.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, chain, pairwise
from typing import Any, TypeVar

import msgspec
import numpy as np

from agents.front import Portion
from streams.codec import decode, encode
from streams.records import Change, ChangeRows, MicroDelta

S = TypeVar("S", ChangeRows, MicroDelta)

_OF_FEATURES = ("features", "feature_sums", "feature_posts")


class _Changes(msgspec.Struct):
    """Consecutive changes of one fold. Sizes are those of each change."""

    partition: int
    encoder: str
    sequence: list[int]
    watermark: list[int]
    dead: list[int]
    aged: list[list[str]]
    posts: list[int]
    micros: list[int]
    features: list[int]
    rows: ChangeRows
    deltas: MicroDelta


class _Message(msgspec.Struct):
    portion: Portion  # without its changes; its snapshot travels by itself
    changes: _Changes | None


def pack(portion: Portion) -> bytes:
    """The portion as one message."""
    joined = _joined(portion.changes) if portion.changes else None
    return encode(_Message(msgspec.structs.replace(portion, changes=[]), joined))


def unpack(message: bytes | memoryview) -> Portion:
    """A portion out of a message of `pack`; arrays are read-only views. Raises CodecError."""
    found = decode(message, _Message)
    if found.changes is not None:
        found.portion.changes = _parted(found.changes)
    return found.portion


def _joined(changes: Sequence[Change]) -> _Changes:
    return _Changes(
        partition=changes[0].partition,
        encoder=changes[0].encoder,
        sequence=[c.sequence for c in changes],
        watermark=[c.watermark for c in changes],
        dead=[c.dead for c in changes],
        aged=[c.aged for c in changes],
        posts=[len(c.rows) for c in changes],
        micros=[len(c.micros.id) for c in changes],
        features=[len(c.micros.features) for c in changes],
        rows=_columns([c.rows for c in changes]),
        deltas=_columns([c.micros for c in changes]),
    )


def _columns(parts: Sequence[S]) -> S:
    fields: dict[str, Any] = {}
    for name in parts[0].__struct_fields__:
        columns = [getattr(part, name) for part in parts]
        whole = isinstance(columns[0], np.ndarray)
        fields[name] = np.concatenate(columns) if whole else list(chain.from_iterable(columns))
    return type(parts[0])(**fields)


def _parted(whole: _Changes) -> list[Change]:
    rows, deltas = whole.rows, whole.deltas
    of_rows = [(name, getattr(rows, name)) for name in rows.__struct_fields__]
    of_deltas = [
        (name, getattr(deltas, name), name in _OF_FEATURES) for name in deltas.__struct_fields__
    ]
    changes = []
    for number, (post, micro, feature) in enumerate(
        zip(_spans(whole.posts), _spans(whole.micros), _spans(whole.features), strict=True)
    ):
        changes.append(
            Change(
                partition=whole.partition,
                sequence=whole.sequence[number],
                watermark=whole.watermark[number],
                encoder=whole.encoder,
                dead=whole.dead[number],
                micros=MicroDelta(
                    **{
                        name: column[feature if of_features else micro]
                        for name, column, of_features in of_deltas
                    }
                ),
                rows=ChangeRows(**{name: column[post] for name, column in of_rows}),
                aged=whole.aged[number],
            )
        )
    return changes


def _spans(sizes: list[int]) -> list[slice]:
    return [slice(start, end) for start, end in pairwise(accumulate(sizes, initial=0))]
