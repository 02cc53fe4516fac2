"""docs/settings.md out of default.yaml: the comments there are the one description of a setting."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import NamedTuple

START = "<!-- from config/default.yaml by `make docs`: edit there -->"


class Described(NamedTuple):
    """One line of default.yaml that names a setting or a section, and the comment above it."""

    name: str
    value: str
    comment: str


def described(text: str) -> Iterator[Described]:
    """The settings and sections of `text` (default.yaml: two levels, each key on its own line)."""
    comment: list[str] = []
    section = ""
    for line in text.splitlines():
        bare = line.strip()
        if bare.startswith("#"):
            comment.append(bare.removeprefix("#").strip())
            continue
        if bare:
            key, _, value = bare.partition(":")
            if not line.startswith(" "):
                section = "" if value.strip() else f"{key}."
            name = key if not line.startswith(" ") else f"{section}{key}"
            yield Described(name, value.strip(), " ".join(comment))
        comment = []


def markdown(text: str) -> str:
    """A table for each section: setting, default value, meaning."""
    lines = [START]
    for name, value, comment in described(text):
        if not value:
            lines += ["", f"## {name}", "", comment, "", "| setting | default | meaning |"]
            lines.append("|---|---|---|")
            continue
        if "." not in name:
            lines += ["", "| setting | default | meaning |", "|---|---|---|"]
        cells = (f"`{name}`", f"`{value}`", comment.replace("|", "\\|"))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def current(page: str) -> str:
    """The page with its reference replaced by what default.yaml says now."""
    text = resources.files("config").joinpath("default.yaml").read_text(encoding="utf-8")
    return page.partition(START)[0] + markdown(text)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.write_text(current(target.read_text(encoding="utf-8")), encoding="utf-8")
