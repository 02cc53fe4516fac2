"""Content cells: which partition of `posts.embedded` a post goes to. A pure function of what it says.

Posts of the same text have one cell, wherever and whenever they are embedded, so exact copies meet in one
cluster fold. Posts of one claim often do; the alert fold joins the others.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from streams.records import DeadEntry, EntryKind, Frame, PostColumns

BITS = 10
"""Bits of a cell. Partition `cell % partitions`: with 2, 4, 8, ... partitions it is the cell's last bits, so
that twice as many split each partition in two and move nothing else."""

AXES = (3, 4, 5, 1, 2, 6, 7, 8, 9, 10)
"""Coordinates of a dense vector whose signs are the bits. The shipped model's first coordinates are the main
directions of its teacher, along which posts differ most: 4 and 16 partitions lose .011 and .017 of F1, by
random planes .012 to .024 and .025 to .036 [bench.routing on rumours_en, on which they were chosen]. In this
order for even loads; 0 is lopsided."""


def cells(posts: PostColumns) -> np.ndarray:
    """The cell of each post, int64 (n,), 0 to 2**BITS - 1.

    On which sides of fixed planes through the origin its meaning lies. Without a dense encoder the same of
    its features, each a random corner of a cube (simhash, Charikar 2002). No sum is rounded: exact for any
    batch.
    """
    axes = [axis for axis in AXES if axis < posts.dense.shape[1]]
    if axes:
        sides = posts.dense[:, axes] > 0
    else:
        corners = ((posts.features[:, None] * _ODD) >> np.uint32(31)).astype(np.int64) * 2 - 1
        totals = np.concatenate([np.zeros((1, BITS), np.int64), np.cumsum(corners, axis=0)])
        ends = posts.feature_ends
        sides = totals[ends] > totals[np.concatenate([[0], ends[:-1]])[: len(ends)]]
    found: np.ndarray = sides @ (1 << np.arange(sides.shape[1]))
    return found


_ODD = np.array([(2 * n + 1) * 0x9E3779B1 & 0xFFFFFFFF for n in range(BITS)], np.uint32)
"""Odd multipliers: the high bit of hash * odd is the hash's side of a plane (multiplicative hashing)."""


def split(frame: Frame, partitions: int) -> list[Frame]:
    """A frame for each partition, with the posts of its cells; ticks go to all, the dead to the first.

    Offsets keep their order, so a fold may skip what is not newer than the last one it has seen.
    """
    if partitions == 1:
        return [frame]
    to = cells(frame.posts) % partitions
    post = frame.kinds == EntryKind.POST
    owner = np.zeros(len(frame.kinds), np.int64)  # of each entry; dead ones are the first's
    owner[post] = to
    tick = frame.kinds == EntryKind.TICK
    frames = []
    for partition in range(partitions):
        entries = (owner == partition) | tick
        dead: list[DeadEntry] = frame.dead if partition == 0 else []
        frames.append(
            Frame(
                encoder=frame.encoder,
                origin=frame.origin,
                partition=frame.partition,
                offsets=frame.offsets[entries],
                kinds=frame.kinds[entries],
                posts=_rows(frame.posts, np.flatnonzero(to == partition)),
                dead=dead,
                ticks=frame.ticks,
            )
        )
    return frames


_OF_FEATURES = ("feature_ends", "features", "feature_counts")


def _rows(posts: PostColumns, rows: np.ndarray) -> PostColumns:
    """Some rows of the columns, in order."""
    starts = np.concatenate([[0], posts.feature_ends[:-1]]) if len(posts) else posts.feature_ends
    picked = [np.arange(starts[r], posts.feature_ends[r]) for r in rows.tolist()]
    at = np.concatenate(picked) if picked else np.zeros(0, np.int64)
    columns: dict[str, Any] = {}
    for name in posts.__struct_fields__:
        column = getattr(posts, name)
        if name not in _OF_FEATURES:
            one = isinstance(column, np.ndarray)
            columns[name] = column[rows] if one else [column[r] for r in rows.tolist()]
    return PostColumns(
        **columns,
        feature_ends=np.cumsum((posts.feature_ends - starts)[rows], dtype=np.int64),
        features=posts.features[at],
        feature_counts=posts.feature_counts[at],
    )
