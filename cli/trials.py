"""Trials of thresholds for the console: `tindon shadow` over a file, in a process of its own."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import OrderedDict
from contextlib import closing
from pathlib import Path
from typing import IO, NamedTuple

import yaml

from cli.errors import UserError
from config import Settings
from config.changing import fold_values
from console.tune import Dial, Trial, Values
from evaluation.desk_labels import write_stretch
from stores import StoreError
from stores.sqlite import SqliteStore

ENDINGS = (".jsonl", ".jsonl.gz", ".csv", ".csv.gz", ".json")
LARGEST_FILE = 64 << 20
"""Bytes of a file that is offered: a trial should be over while somebody waits."""

MOST_S = 900.0
"""A trial that takes longer is ended."""

STORE = "tindon.sqlite"

KEPT = 50
"""Results that are remembered, the newest."""

DIALS = (  # setting, lowest, highest, step
    ("cluster.micro_threshold", 0.1, 0.9, 0.01),
    ("cluster.window_days", 1, 60, 1),
    ("alert.macro_threshold", 0.1, 0.9, 0.01),
    ("alert.event_threshold", 0.1, 0.9, 0.01),
    ("alert.link_threshold", 0.1, 1, 0.01),
    ("alert.cover_threshold", 0, 1, 0.01),
    ("alert.cooldown_h", 0, 168, 1),
    ("alert.per_hour", 1, 1000, 1),
    ("alert.suggest.score", 0, 1, 0.01),
    ("alert.suggest.min_voices", 1, 100, 1),
    ("alert.suggest.min_wordings", 0, 100, 1),
    ("alert.suggest.min_posts", 1, 500, 1),
    ("alert.suggest.min_shared", 0, 500, 5),
    ("alert.confirm.score", 0, 1, 0.01),
    ("alert.confirm.min_voices", 1, 100, 1),
    ("alert.confirm.min_wordings", 0, 100, 1),
    ("alert.confirm.min_posts", 1, 500, 1),
    ("alert.confirm.min_shared", 0, 500, 5),
)


class _Running(NamedTuple):
    key: str
    process: subprocess.Popen[bytes]
    said: IO[bytes]
    complaint: IO[bytes]
    since: float


class Trials:
    """A console's `TrialDesk` over the post files of a folder. At most one trial runs at a time."""

    def __init__(self, folder: Path, settings: Settings, config_file: Path | None) -> None:
        """Raises UserError when there is no such folder."""
        if not folder.is_dir():
            raise UserError(f"there is no folder {folder}: give one with files of posts to --tune")
        self._folder = folder
        self._values = fold_values(settings)
        self._options = ["--config", str(config_file.resolve())] if config_file else []
        self._scratch = tempfile.TemporaryDirectory(prefix="tindon-trials-")
        self._done: OrderedDict[str, Trial] = OrderedDict()
        self._running: _Running | None = None
        self._lock = threading.Lock()

    def stretches(self) -> list[str]:
        """Files of posts, and folders of a replay or the demo, which end with a slash: their stored posts."""
        files, folders = list[str](), list[str]()
        for path in self._folder.iterdir():
            if path.is_file():
                if path.name.endswith(ENDINGS) and path.stat().st_size <= LARGEST_FILE:
                    files.append(path.name)
            elif (path / STORE).is_file():
                folders.append(f"{path.name}/")
        return sorted(files) + sorted(folders)

    def dials(self) -> list[Dial]:
        return [
            _dial(name, self._values[name], low, high, step)
            for name, low, high, step in DIALS
            if name in self._values
        ]

    def ask(self, stretch: str, values: Values, *, start: bool) -> Trial:
        with self._lock:
            self._look()
            path = self._folder / stretch
            # A store changes all the time: what it held for a result stands until this console ends.
            dated = 0 if stretch.endswith("/") else path.stat().st_mtime_ns
            key = json.dumps([stretch, dated, sorted(values.items())])
            if key in self._done:
                return self._done[key]
            if self._running is not None:
                return Trial("working" if self._running.key == key else "busy")
            if not start:
                return Trial("none")
            try:
                self._running = self._start(key, self._posts(path, stretch), values)
            except (OSError, StoreError) as error:
                return Trial("failed", error=str(error).splitlines()[0])
            return Trial("working")

    def _posts(self, path: Path, stretch: str) -> Path:
        """The file of a stretch; what a store holds is written out first."""
        if not stretch.endswith("/"):
            return path
        file = Path(self._scratch.name) / f"{path.name}.jsonl"
        with closing(SqliteStore(path / STORE)) as store:
            write_stretch(store, file)
        return file

    def close(self) -> None:
        """End what runs, and leave nothing behind."""
        with self._lock:
            if self._running is not None:
                self._running.process.kill()
                self._running.process.wait()
                self._forget(self._running)
            self._scratch.cleanup()

    def _start(self, key: str, path: Path, values: Values) -> _Running:
        scratch = Path(self._scratch.name)
        candidate = scratch / "candidate.yaml"
        candidate.write_text(_yaml(values), encoding="utf-8")
        work = scratch / hashlib.sha256(str(path).encode()).hexdigest()[:16]
        command = [sys.executable, "-m", "cli.main", *self._options, "shadow", str(path.resolve())]
        command += ["--candidate", str(candidate), "--out", str(work), "--format", "json"]
        said, complaint = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115
        process = subprocess.Popen(
            ["nice", "-n", "10", *command] if os.name == "posix" else command,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=complaint,
        )
        return _Running(key, process, said, complaint, time.monotonic())

    def _look(self) -> None:
        """Take in a trial that is over."""
        running = self._running
        if running is None:
            return
        if running.process.poll() is None:
            if time.monotonic() - running.since < MOST_S:
                return
            running.process.kill()
            running.process.wait()
            trial = Trial("failed", error=f"> {MOST_S:g} s")
        else:
            trial = _outcome(running)
        self._done[running.key] = trial
        if len(self._done) > KEPT:
            self._done.popitem(last=False)
        self._forget(running)

    def _forget(self, running: _Running) -> None:
        running.said.close()
        running.complaint.close()
        self._running = None


def _dial(name: str, value: float, low: float, high: float, step: float) -> Dial:
    """A dial on which the value in force can stand, or no form that holds it could be sent."""
    low, high = min(low, value), max(high, value)
    steps = (value - low) / step
    return Dial(name, value, low, high, step if abs(steps - round(steps)) < 1e-6 else 0.0)


def _outcome(running: _Running) -> Trial:
    running.said.seek(0)
    running.complaint.seek(0)
    if running.process.returncode == 0:
        return Trial("done", json.loads(running.said.read()))
    lines = running.complaint.read().decode("utf-8", "replace").strip().splitlines()
    return Trial("failed", error=lines[-1] if lines else str(running.process.returncode))


def _yaml(values: Values) -> str:
    tree: dict[str, object] = {}
    for name, value in values.items():
        at = tree
        *above, last = name.split(".")
        for part in above:
            at = at.setdefault(part, {})  # type: ignore[assignment]
        at[last] = int(value) if value == int(value) else value
    return yaml.safe_dump(tree)
