"""What a rumor is about, out of what its posts are about."""

from __future__ import annotations

from collections.abc import Mapping

OTHER = "other"
"""Said when no category is sure enough; every taxonomy has it (`config.taxonomy`)."""

LEAST = 0.30
"""Confidence from which a rumor has a category. [measured: bench.categories]"""


def category_of(sums: Mapping[str, int], posts: int) -> tuple[str, float]:
    """Category and confidence, 0 to 1, of a rumor.

    `sums`: category -> sum over its posts of how sure they are of it, percent. A post's rest is for
    `other`, so the confidence of a category is the mean share that the posts give it; that of `other` is
    what is left.
    Ties go to the first name.
    """
    if not posts or not sums:
        return OTHER, 1.0
    name = min(sums, key=lambda key: (-sums[key], key))
    share = sums[name] / (100.0 * posts)
    return (name, round(share, 4)) if share >= LEAST else (OTHER, round(1.0 - share, 4))
