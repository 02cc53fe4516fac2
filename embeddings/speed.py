"""How fast an encoder is, and what it adds to a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from embeddings.encoder import Encoder

BATCH = 256
RUNS = 3
_ROOT = Path(__file__).resolve().parents[1]
_CHILD = """
import json, os, sys, time
import numpy
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")
before, started, busy = resident(), time.perf_counter(), time.process_time()
from embeddings import load_encoder
name = json.loads(sys.stdin.readline())
encoder = load_encoder(name)
loaded, busy = time.perf_counter() - started, time.process_time() - busy
texts = json.loads(sys.stdin.read())
for first in range(0, len(texts), 256):
    encoder.encode(texts[first : first + 256])
print(json.dumps({"load_s": loaded, "load_cpu_s": busy, "added_bytes": resident() - before}))
"""


@dataclass(frozen=True)
class Speed:
    """Posts per second of processor time (one core's worth) and of wall time."""

    posts_per_cpu_s: float
    posts_per_s: float


def measure(encoder: Encoder, texts: Sequence[str], batch: int = BATCH) -> Speed:
    """Encode ``texts`` once, in batches; call it on texts not seen before for a cold figure."""
    started, busy = time.perf_counter(), time.process_time()
    for first in range(0, len(texts), batch):
        encoder.encode(list(texts[first : first + batch]))
    busy, wall = time.process_time() - busy, time.perf_counter() - started
    return Speed(len(texts) / max(busy, 1e-9), len(texts) / max(wall, 1e-9))


def footprint(name: str | None, texts: Sequence[str]) -> dict[str, float]:
    """``load_s``, ``load_cpu_s`` and ``added_bytes`` (resident, over Python with numpy).

    The least of ``RUNS`` fresh processes: what else the machine does only adds.
    """
    runs = [_child(name, texts) for _ in range(RUNS)]
    return {key: min(run[key] for run in runs) for key in runs[0]}


def _child(name: str | None, texts: Sequence[str]) -> dict[str, float]:
    environment = os.environ | {"PYTHONPATH": str(_ROOT), "OPENBLAS_NUM_THREADS": "1"}
    child = subprocess.run(
        [sys.executable, "-c", _CHILD],
        input=json.dumps(name) + "\n" + json.dumps(list(texts)),
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    answer: dict[str, float] = json.loads(child.stdout.splitlines()[-1])
    return answer
