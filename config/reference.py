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
    """The settings and sections of `text` (default.yaml: each key on its own line)."""
    comment: list[str] = []
    above: list[tuple[int, str]] = []  # the sections around this line, each with its indentation
    for line in text.splitlines():
        bare = line.strip()
        if bare.startswith("#"):
            comment.append(bare.removeprefix("#").strip())
            continue
        if bare:
            indented = len(line) - len(line.lstrip())
            above = [(level, name) for level, name in above if level < indented]
            key, _, value = bare.partition(":")
            yield Described(
                ".".join([name for _, name in above] + [key]), value.strip(), " ".join(comment)
            )
            above.append((indented, key))
        comment = []


def markdown(text: str) -> str:
    """A table for each section: setting, default value, meaning; an inner section is a row."""
    lines = [START]
    for name, value, comment in described(text):
        if "." not in name:
            lines += ["", f"## {name}", "", comment] if not value else []
            lines += ["", "| setting | default | meaning |", "|---|---|---|"]
        if value:
            lines.append(f"| `{name}` | `{value}` | {_cell(comment)} |")
        elif "." in name:
            lines.append(f"| **{name}** | | {_cell(comment)} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def current(page: str) -> str:
    """The page with its reference replaced by what default.yaml says now."""
    text = resources.files("config").joinpath("default.yaml").read_text(encoding="utf-8")
    return page.partition(START)[0] + markdown(text)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.write_text(current(target.read_text(encoding="utf-8")), encoding="utf-8")
