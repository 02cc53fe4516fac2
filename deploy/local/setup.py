"""`python -m deploy.local.setup`: what a bare Debian needs for the local servers. Run as root.

Installs a Java runtime and Maven when they are missing; with --chromium the browser of the console's
tests, with --prometheus what checks the rules and the dashboard. A second run finds nothing to do.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys

from deploy.local.errors import ServerError
from deploy.local.java import find_java

_JAVA_MINIMUM = 17


def missing_packages(chromium: bool, prometheus: bool = False) -> list[str]:
    """Debian packages that are wanted and not there, by what they bring."""
    packages = []
    try:
        find_java(_JAVA_MINIMUM)
    except ServerError:
        packages.append(f"openjdk-{_JAVA_MINIMUM}-jre-headless")
    if shutil.which("mvn") is None:
        packages.append("maven")
    if chromium and shutil.which("chromium") is None:
        packages.append("chromium")
    if prometheus and shutil.which("promtool") is None:
        packages.append("prometheus")
    return packages


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.local.setup", description=__doc__)
    parser.add_argument("--chromium", action="store_true", help="also the browser for the tests")
    parser.add_argument("--prometheus", action="store_true", help="also promtool and its server")
    wanted = parser.parse_args(argv)
    packages = missing_packages(wanted.chromium, wanted.prometheus)
    if not packages:
        print("nothing to install")
        return 0
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        print(f"missing {', '.join(packages)}: install them (on Debian this command does, as root)",
              file=sys.stderr)  # fmt: skip
        return 1
    print(f"installing {', '.join(packages)}")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-q"],
        ["apt-get", "install", "-q", "-y", "--no-install-recommends", *packages],
    ):
        done = subprocess.run(command, env=quiet, check=False)
        if done.returncode:
            print(f"{' '.join(command)} failed: see above", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
