"""The wheel carries everything, and `tindon` runs from it outside the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = sorted(path.parent.name for path in REPOSITORY.glob("*/__init__.py"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel; its dependencies are looked up in ours, so that nothing
    is downloaded. Our editable install is not seen there: a .pth is not read through a .pth."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", wheel],
        check=True,
        capture_output=True,
    )
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return folder


def run(installed: Path, *command: str, cwd: Path) -> str:
    env = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
    env["TINDON_STATE_DIR"] = str(cwd / "state")
    done = subprocess.run(
        [installed / "bin" / command[0], *command[1:]],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_file_of_every_package_is_inside(wheel: Path) -> None:
    known = subprocess.run(
        ["git", "ls-files", "--cached", "--", *PACKAGES],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    if known.returncode:
        pytest.skip("not a git checkout")
    wanted = {name for name in known.stdout.splitlines() if (REPOSITORY / name).exists()}
    assert wanted - set(zipfile.ZipFile(wheel).namelist()) == set()


def test_nothing_else_is_inside(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} <= set(PACKAGES)


def test_licence_is_inside(wheel: Path) -> None:
    assert any(name.endswith("licenses/LICENSE") for name in zipfile.ZipFile(wheel).namelist())


def test_runs_outside_the_checkout(installed: Path, tmp_path: Path) -> None:
    where = run(installed, "python", "-c", "import config; print(config.__file__)", cwd=tmp_path)
    assert where.startswith(str(installed))
    assert run(installed, "tindon", "--version", cwd=tmp_path).startswith("tindon ")
    shown = run(installed, "tindon", "config", "show", cwd=tmp_path)
    assert "cluster.window_days" in shown
    path = run(installed, "tindon", "config", "path", cwd=tmp_path)
    assert str(installed) in path


def test_every_package_imports_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    code = f"import {', '.join(PACKAGES)}"
    run(installed, "python", "-c", code, cwd=tmp_path)
