"""YAML in which a key that stands twice is an error: the second would win without a word."""

from __future__ import annotations

from typing import Any

import yaml

# libyaml reads the taxonomy ten times as fast; PyYAML's wheels have it.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _UniqueKeys(_Loader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} stands twice", key.start_mark
                )
            seen.add(key.value)
        return dict(super().construct_mapping(node, deep))


def yaml_of(text: str) -> Any:
    """The value of a text. Raises yaml.YAMLError."""
    return yaml.load(text, Loader=_UniqueKeys)


def yaml_cause(error: Exception) -> str:
    """What an error says, with its line, for a person."""
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    return f"line {mark.line + 1}: {problem}" if mark is not None else problem
