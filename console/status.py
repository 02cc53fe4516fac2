"""What the console shows of a running pipeline."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PipelineStatus:
    """Counts out of the folds, read at one moment; posts_in = folded + duplicates + late + dead."""

    posts_in: int = 0
    folded: int = 0
    duplicates: int = 0
    late: int = 0
    dead: int = 0
    posts_per_s: float = 0.0
    watermark: int | None = None  # ms since 1970 UTC; None before the first post
    rumors: int = 0
    alerts_suggest: int = 0  # alerts whose level is `suggest` now
    alerts_confirm: int = 0
    running: bool = False
    speed: float | None = None  # stream time over wall time; None = as fast as it goes, or live
    finished: bool = False  # the input has ended and all of it is folded
