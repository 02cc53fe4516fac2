"""What an engineer may tune in the cluster fold, and the constants that are not for tuning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

FULL = 62
"""Members after which a micro-cluster's sum is halved; even, so that half of them is a whole number.
62 * |x|**2 < 2**24 keeps every product exact. It does up to |x| = 520; the longest rounded unit vector
seen had 513.2 (tests/unit/test_grid.py)."""

REFRESH = 256
"""Posts between two updates of frequencies and mean; powers of two below it at the start."""

CHANGE = 64
"""A change is emitted whenever the number of folded posts is a multiple of this (and on ticks)."""

SHORT_REPLY = 40
"""A reply of at most this many features (some 15 words) is taken to speak of what it replies to."""

FEW = 0.12
"""What a post lacks to full agreement with a micro-cluster of n posts counts 1 + FEW / n times: posts of one
subject share its names, and only more posts tell whether they share the claim. With the threshold at .30
one post is joined at .375, two at .34 (`python -m bench.clustering ablation`)."""

MEMORY = 1 << 18
"""Posts after which document frequencies and mean are halved, so that they follow the stream."""


class ClusterParameters(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the cluster fold. Thresholds are cosines."""

    micro_threshold: float = 0.30
    dense_weight: float = 0.30
    window_ms: int = 14 * 86_400_000
    lateness_ms: int = 24 * 3_600_000
    silent_ms: int = 300_000


TUNABLE = ("micro_threshold", "window_ms")
"""What the fold can take up in the middle of its log. The sums of its micro-clusters were made with the
dense weight, and watermarks with the times of the intake: these stay until a new state."""


def tunable(parameters: ClusterParameters) -> dict[str, Any]:
    """The values of TUNABLE, by name."""
    return {name: getattr(parameters, name) for name in TUNABLE}


def taken_up(parameters: ClusterParameters, values: Mapping[str, Any]) -> ClusterParameters:
    """The parameters with the given values of TUNABLE; others are left."""
    chosen = {name: values[name] for name in TUNABLE if name in values}
    return msgspec.structs.replace(parameters, **chosen)
