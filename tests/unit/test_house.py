"""The house rules that a program can check: equal lists, imports by the table, small modules."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = sorted(path.parent.name for path in REPOSITORY.glob("*/__init__.py"))
MODULES = sorted(path for name in PACKAGES for path in (REPOSITORY / name).rglob("*.py"))

DOCUMENTS = [
    *(REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md", "bench/README.md")),
    *sorted((REPOSITORY / "docs").glob("*.md")),
]

LONGEST_MODULE = 400  # lines

# What a fold may import of ours besides its own package: values and arithmetic, nothing that acts.
PURE_STREAMS = {
    "streams",
    "streams.codec",
    "streams.documents",
    "streams.effects",
    "streams.grid",
    "streams.ids",
    "streams.inputs",
    "streams.records",
    "streams.time",
}


def test_each_package_stands_in_every_list() -> None:
    tool = PYPROJECT["tool"]
    lists = {
        "wheel": tool["hatch"]["build"]["targets"]["wheel"]["packages"],
        "mypy": tool["mypy"]["files"],
        "import-linter": tool["importlinter"]["root_packages"],
    }
    assert lists == dict.fromkeys(lists, PACKAGES)


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-core.lock"])
def test_lock_holds_each_dependency_with_hashes(lock: str) -> None:
    text = (REPOSITORY / lock).read_text(encoding="utf-8")
    pins = re.findall(r"^([A-Za-z0-9._-]+)==\S+[^\\\n]*\\\n    --hash=sha256:", text, re.M)
    pinned = {_normal(name) for name in pins}
    assert len(pins) == len(re.findall(r"^[A-Za-z]", text, re.M)), "a line without hash"
    project = PYPROJECT["project"]
    wanted = list(project["dependencies"])
    if lock == "requirements.lock":
        wanted += [
            name
            for extra in ("evaluate", "dev")
            for name in project["optional-dependencies"][extra]
        ]
    assert {_normal(re.split(r"[<>=\[; ]", name)[0]) for name in wanted} - pinned == set()
    assert "://" not in text, "the lock names a place, not only packages"


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_import_contracts_hold() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("fold", ["clusters", "alerts"])
def test_folds_import_pure_modules_of_streams_only(fold: str) -> None:
    used = {
        name
        for path in (REPOSITORY / fold).rglob("*.py")
        for name in _imported(path)
        if name.split(".")[0] in PACKAGES and name.split(".")[0] != fold
    }
    assert used - PURE_STREAMS == set()


def _imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            package = (REPOSITORY / node.module.replace(".", "/")).is_dir()
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            modules = {name for name in inside if _is_module(name)} if package else set()
            names |= modules or {node.module}
    return names


def _is_module(name: str) -> bool:
    return (REPOSITORY / (name.replace(".", "/") + ".py")).exists()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_module_is_short_and_named_for_its_job(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines < LONGEST_MODULE, "look for the second concept in it"
    assert not re.search(r"manager|helper|util|handler|processor", path.stem)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_a_document_names_files_that_are_there(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    named = re.findall(r"\b(?:tests|bench)/[\w./-]+\.(?:py|md)\b", text)
    assert [path for path in dict.fromkeys(named) if not (REPOSITORY / path).exists()] == []
