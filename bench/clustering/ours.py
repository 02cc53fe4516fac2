"""Both real folds over labelled files: what each post's rumor and event became, and the cost."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

import config
from agents.stages import alert_parameters, cluster_parameters
from alerts import AlertFold, AlertParameters, LevelRule
from clusters import ClusterFold, ClusterParameters
from evaluation.gold import load_gold
from evaluation.metrics import factorise
from evaluation.tuning.folding import Heirs
from evaluation.tuning.frames import Reading, embed, read
from streams.records import Change, Frame

OUT = Path(__file__).resolve().parents[1] / "out"

# No document is written and no alert raised: they are no part of what is measured here.
_NEVER = LevelRule(score=9.0, min_voices=10**6, min_wordings=10**6)


@dataclass
class Stream:
    """n labelled posts in folded order. `story` is -1 for a post of none."""

    name: str
    frames: list[Frame]
    order: list[tuple[str, str]]  # (source, id)
    text: list[str]  # as given, not masked
    language: list[str]
    story: np.ndarray  # int64 (n,)
    repeat: np.ndarray  # bool (n,): an earlier post has the same plain wording

    def __len__(self) -> int:
        return len(self.order)


@dataclass
class Grouping:
    """Labels of a stream's posts, int64 (n,) each, and the folds' processor seconds."""

    micro: np.ndarray
    arrival: np.ndarray
    rumor: np.ndarray
    event: np.ndarray
    cluster_s: float
    alert_s: float


def defaults(granularity: float = 0.0) -> tuple[ClusterParameters, AlertParameters]:
    """The folds' parameters as the shipped settings give them, at a granularity."""
    env = {"TINDON_STATE_DIR": str(OUT / "state"), "TINDON_CLUSTER__GRANULARITY": str(granularity)}
    settings = config.load(env=env).settings
    return cluster_parameters(settings), alert_parameters(settings)


def stream(path: Path) -> Stream:
    """A labelled file, embedded once and kept in `bench/out/frames`."""
    from evaluation.gold import plain_wording

    os.makedirs(OUT / "state", exist_ok=True)
    settings = config.load(env={"TINDON_STATE_DIR": str(OUT / "state")}).settings
    frames = list(read(embed(Reading((str(path),)), settings, OUT / "frames"), Frame))
    gold = load_gold([path], allow_unlabelled=True)
    row = {
        key: i for i, key in reversed(list(enumerate(zip(gold.source, gold.post_id, strict=True))))
    }
    order = [key for f in frames for key in zip(f.posts.source, f.posts.id, strict=True)]
    at = [row[key] for key in order]
    text = [gold.text[i] for i in at]
    seen: set[str] = set()
    repeat = []
    for one in map(plain_wording, text):
        repeat.append(one in seen)
        seen.add(one)
    language = [str(gold.language[i]) for i in at]
    name = path.name.split(".")[0]
    return Stream(name, frames, order, text, language, gold.story[at], np.array(repeat))


def changes(frames: list[Frame], parameters: ClusterParameters) -> tuple[list[Change], float]:
    """All changes of the cluster fold over the frames, and its processor seconds."""
    start = time.process_time()
    fold = ClusterFold(parameters, encoder=frames[0].encoder, dim=frames[0].posts.dense.shape[1])
    made = [change for frame in frames for change in fold.fold(frame)]
    return made, time.process_time() - start


def grouped(log: list[Change], parameters: AlertParameters, cluster_s: float = 0.0) -> Grouping:
    """The changes through the alert fold."""
    quiet = msgspec.structs.replace(parameters, index_posts=200, suggest=_NEVER, confirm=_NEVER)
    start = time.process_time()
    fold = AlertFold(quiet, encoder=log[0].encoder, dim=log[0].micros.dense.shape[1])
    heirs, told = Heirs(), []
    for change in log:
        effects = fold.apply(change)
        for merged in effects.merged:
            heirs.note(merged.loser, merged.heir)
        told += effects.assigned
    seconds = time.process_time() - start
    return Grouping(
        factorise([a.micro for a in told]),
        factorise([a.rumor for a in told]),
        factorise([heirs.of(a.rumor) if a.rumor else None for a in told]),
        factorise([heirs.of(a.event) if a.event else None for a in told]),
        cluster_s,
        seconds,
    )
