"""Where clustering goes wrong, to be read by a person: stories split, rumors that join stories."""

from typing import Any

import numpy as np

from evaluation.excerpts import excerpt
from evaluation.metrics import Labels
from evaluation.table import Table

# How many errors of each kind are listed, and how many of an error's parts are shown.
WORST = 10
PARTS = 3


def find_mistakes(table: Table) -> dict[str, Any]:
    """Splits and joins at rumor level over the labelled posts, the worst of each first.

    A split is as bad as the number of its story's posts outside the story's largest rumor; a join
    as the number of its rumor's labelled posts outside the rumor's largest story.
    """
    rows = np.flatnonzero(table.labelled)
    return {
        "splits": _splits(table, rows),
        "joins": _joins(table, rows),
    }


def _splits(table: Table, rows: Labels) -> dict[str, Any]:
    whole, _, count, first = _pairs(table.story[rows], table.rumor[rows])
    pieces, strays = _per_whole(whole, count)
    worst = []
    for story in _ranked(pieces, strays):
        inside = np.flatnonzero(whole == story)
        shown = inside[np.argsort(-count[inside], kind="stable")][:PARTS]
        worst.append({
            "story": table.stories[story],
            "posts": int(count[inside].sum()),
            "rumors": len(inside),
            "outside_largest": int(strays[story]),
            "parts": [
                {
                    "rumor_id": table.rumor_id[rows[first[i]]],
                    "posts": int(count[i]),
                    "excerpt": excerpt(table.text[rows[first[i]]]),
                }
                for i in shown
            ],
        })  # fmt: skip
    return {
        "stories": int((pieces > 0).sum()),
        "split_stories": int((pieces > 1).sum()),
        "rumors_per_story": _spread(pieces[pieces > 0]),
        "posts_outside_largest": int(strays.sum()),
        "worst": worst,
    }


def _joins(table: Table, rows: Labels) -> dict[str, Any]:
    whole, part, count, first = _pairs(table.rumor[rows], table.story[rows])
    pieces, strays = _per_whole(whole, count)
    all_posts = np.bincount(table.rumor, minlength=len(pieces))
    worst = []
    for rumor in _ranked(pieces, strays):
        inside = np.flatnonzero(whole == rumor)
        shown = inside[np.argsort(-count[inside], kind="stable")][:PARTS]
        worst.append({
            "rumor_id": table.rumor_id[rows[first[inside[0]]]],
            "posts": int(all_posts[rumor]),
            "chatter": int(all_posts[rumor] - count[inside].sum()),
            "stories": len(inside),
            "outside_largest": int(strays[rumor]),
            "parts": [
                {
                    "story": table.stories[part[i]],
                    "posts": int(count[i]),
                    "excerpt": excerpt(table.text[rows[first[i]]]),
                }
                for i in shown
            ],
        })  # fmt: skip
    return {
        "rumors": int((pieces > 0).sum()),
        "joining_rumors": int((pieces > 1).sum()),
        "stories_per_rumor": _spread(pieces[pieces > 0]),
        "posts_outside_largest": int(strays.sum()),
        "worst": worst,
    }


def _pairs(whole: Labels, part: Labels) -> tuple[Labels, Labels, Labels, Labels]:
    """Distinct (whole, part) pairs: both labels, number of posts, position of the first post."""
    base = int(part.max(initial=0)) + 1
    key, first, count = np.unique(whole * base + part, return_index=True, return_counts=True)
    return key // base, key % base, count, first


def _per_whole(whole: Labels, count: Labels) -> tuple[Labels, Labels]:
    """By label of the whole: its number of parts, and its posts outside the largest part."""
    n = int(whole.max(initial=-1)) + 1
    largest = np.zeros(n, dtype=np.int64)
    np.maximum.at(largest, whole, count)
    total = np.zeros(n, dtype=np.int64)
    np.add.at(total, whole, count)
    return np.bincount(whole, minlength=n), total - largest


def _ranked(pieces: Labels, strays: Labels) -> list[int]:
    order = np.argsort(-strays, kind="stable")[:WORST]
    return [int(i) for i in order if pieces[i] > 1]


def _spread(pieces: Labels) -> dict[str, float | int]:
    """Mean, median, 90th percentile and maximum of a number of parts."""
    if len(pieces) == 0:
        return {"mean": 0.0, "median": 0.0, "p90": 0.0, "max": 0}
    return {
        "mean": float(pieces.mean()),
        "median": float(np.median(pieces)),
        "p90": float(np.percentile(pieces, 90)),
        "max": int(pieces.max()),
    }
