"""System users under which the servers run when we are root."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import ServerError


@dataclass(frozen=True)
class Account:
    """Who a server runs as: a system user, or the caller itself when `name` is None."""

    name: str | None
    uid: int
    gid: int

    def command(self, argv: Sequence[str]) -> list[str]:
        """The command line that runs argv as this account."""
        if self.name is None:
            return list(argv)
        drop = ["--reuid", str(self.uid), "--regid", str(self.gid), "--clear-groups"]
        return [_tool("setpriv"), *drop, "--no-new-privs", "--", *argv]

    def own(self, folder: Path) -> None:
        """Make a folder and give it, with what is in it, to this account."""
        folder.mkdir(parents=True, exist_ok=True)
        if self.name is None:
            return
        os.chown(folder, self.uid, self.gid)
        for path in folder.rglob("*"):
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def require_reach(self, folder: Path) -> None:
        """Raise ServerError when this account cannot read a folder."""
        if self.name is None:
            return
        test = self.command([_tool("test"), "-r", str(folder), "-a", "-x", str(folder)])
        if subprocess.run(test, check=False).returncode:
            raise ServerError(
                f"user {self.name} cannot enter {folder}: choose a folder that others can "
                "enter, or chmod o+x the folders above it"
            )


def account(name: str) -> Account:
    """The system user `name`, made when missing, if we are root; else the caller."""
    if os.geteuid() != 0:
        return Account(None, os.geteuid(), os.getegid())
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        _add(name)
        entry = pwd.getpwnam(name)
    return Account(name, entry.pw_uid, entry.pw_gid)


def _add(name: str) -> None:
    options = ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin"]
    done = subprocess.run(
        [_tool("useradd"), *options, name], capture_output=True, text=True, check=False
    )
    if done.returncode not in (0, 9):  # 9: somebody added it meanwhile, useradd(8)
        raise ServerError(f"useradd {name} failed ({done.stderr.strip()}): add that user by hand")


def _tool(name: str) -> str:
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/bin:/bin")
    if found is None:
        raise ServerError(f"{name} is missing: install util-linux, passwd and coreutils")
    return found
