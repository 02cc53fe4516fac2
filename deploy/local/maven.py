"""Gets the servers' files through Maven into a shared cache, and checks them.

`artifacts.lock` beside this file pins every file by SHA-256, in the format of sha256sum(1):
`python -m deploy.local lock` writes it anew after a version changes. A file that does not
match is never used.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import ServerError

Progress = Callable[[str], None]

_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"
_LOCK = Path(__file__).with_name("artifacts.lock")
_TIMEOUT_S = 1200  # 150 MB over a slow line

_POM = """\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>tindon.local</groupId><artifactId>servers</artifactId><version>1</version>
  <packaging>pom</packaging>
  <dependencies>
{dependencies}  </dependencies>
</project>
"""
_DEPENDENCY = """\
    <dependency>
      <groupId>{0}</groupId><artifactId>{1}</artifactId><version>{2}</version><type>{3}</type>
    </dependency>
"""


@dataclass(frozen=True)
class Bundle:
    """Files that one server needs: a folder name in the cache, and Maven coordinates.

    A coordinate is group:artifact:version:type. With `closure` the runtime dependencies of the
    coordinates belong to the bundle as well.
    """

    name: str
    coordinates: tuple[str, ...]
    closure: bool


def cache_folder() -> Path:
    """$TINDON_CACHE, or a folder that other users of this machine can read when we are root."""
    if os.environ.get("TINDON_CACHE"):
        return Path(os.environ["TINDON_CACHE"])
    # Root's home is closed to the system users that the servers run as.
    return Path("/var/cache/tindon") if os.geteuid() == 0 else Path.home() / ".cache" / "tindon"


def fetch(bundle: Bundle, progress: Progress) -> list[Path]:
    """The bundle's files, checked; downloads them unless they are in the cache already."""
    pinned = _pinned(bundle.name)
    if not pinned:
        raise ServerError(f"artifacts.lock does not pin {bundle.name}: use a pinned version")
    folder = cache_folder() / bundle.name
    with cache_lock(bundle.name):
        if _wrong(folder, pinned) is not None:
            progress(f"downloading {bundle.name} (once)")
            with _downloaded(bundle) as fresh:
                wrong = _wrong(fresh, pinned)
                if wrong is not None:
                    raise ServerError(
                        f"{wrong} of {bundle.name} is not the file that artifacts.lock pins: "
                        "remove it from the local Maven repository and try again"
                    )
                shutil.rmtree(folder, ignore_errors=True)
                fresh.rename(folder)
    return [folder / name for name in sorted(pinned)]


def write_lock(bundles: list[Bundle]) -> int:
    """Download the bundles anew and pin what came; the number of files."""
    lines = []
    for bundle in bundles:
        with _downloaded(bundle) as fresh:
            for path in sorted(fresh.iterdir()):
                lines.append(f"{_sha256(path)}  {bundle.name}/{path.name}\n")
    _LOCK.write_text("".join(lines))
    return len(lines)


@contextmanager
def cache_lock(name: str) -> Iterator[None]:
    """Hold off other processes that fill the same part of the cache."""
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = (folder / f".{name}.lock").open("w")
    except OSError as exc:
        raise ServerError(f"cannot write to {folder} ({exc.strerror}): set TINDON_CACHE") from exc
    with handle:
        fcntl.flock(handle, fcntl.LOCK_EX)  # released on close, and by the system on a crash
        yield


@contextmanager
def _downloaded(bundle: Bundle) -> Iterator[Path]:
    """A readable folder inside the cache holding what Maven resolves for a bundle."""
    cache_folder().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache_folder(), ignore_cleanup_errors=True) as work:
        files = Path(work) / "files"
        files.mkdir()
        pom = Path(work) / "pom.xml"
        rows = (_DEPENDENCY.format(*one.split(":")) for one in bundle.coordinates)
        pom.write_text(_POM.format(dependencies="".join(rows)))
        _maven(
            "-f", str(pom), f"{_PLUGIN}:copy-dependencies", "-DincludeScope=runtime",
            f"-DexcludeTransitive={str(not bundle.closure).lower()}", f"-DoutputDirectory={files}",
        )  # fmt: skip
        # Readable for the system users, whatever the caller's umask.
        files.chmod(0o755)
        for path in files.iterdir():
            path.chmod(0o644)
        yield files


def _maven(*options: str) -> None:
    command = shutil.which("mvn")
    if command is None:
        raise ServerError("mvn is not installed: apt-get install maven (needed once, to download)")
    try:
        done = subprocess.run(
            [command, "--batch-mode", "--no-transfer-progress", *options],
            capture_output=True, text=True, timeout=_TIMEOUT_S, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired as exc:
        raise ServerError(
            f"mvn did not finish in {_TIMEOUT_S} s: check the network and try again"
        ) from exc
    if done.returncode:
        output = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)
        errors = [line for line in output.splitlines() if "ERROR" in line] or output.splitlines()
        reason = errors[0].removeprefix("[ERROR] ")[:300] if errors else "no output"
        raise ServerError(f"mvn failed ({reason}): check the network and ~/.m2/settings.xml")


def _pinned(bundle: str) -> dict[str, str]:
    """File name -> SHA-256 of the files of one bundle."""
    pinned = {}
    for line in _LOCK.read_text().splitlines():
        digest, _, path = line.partition("  ")
        folder, _, name = path.partition("/")
        if folder == bundle:
            pinned[name] = digest
    return pinned


def _wrong(folder: Path, pinned: dict[str, str]) -> str | None:
    """The first pinned file that is absent or differs, or None."""
    for name, digest in pinned.items():
        path = folder / name
        if not path.is_file() or _sha256(path) != digest:
            return name
    return None


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
