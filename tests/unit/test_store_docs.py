"""docs/stores.md tells every field that is indexed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stores.elasticsearch.mappings import mapping
from stores.elasticsearch.names import KINDS, Kind

TEXT = (Path(__file__).parents[2] / "docs" / "stores.md").read_text("utf-8")


def fields(properties: dict[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for name, field in properties.items():
        if "properties" in field:
            yield from fields(field["properties"], f"{above}{name}.")
        else:
            yield f"{above}{name}", name


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_told(kind: Kind) -> None:
    for path, last in fields(mapping(kind)["properties"]):
        parts = path.split(".")
        told = f"`{path}`" in TEXT or (
            len(parts) == 3 and f"`{parts[0]}.{parts[1]}`" in TEXT and f"`{last}`" in TEXT
        )
        assert told, f"docs/stores.md does not tell {path}"
