"""What the ablation takes away is there: it reaches into the folds by name."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from bench.clustering.ablation import LINES, Line


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.name)
def test_a_line_changes_what_it_names(line: Line) -> None:
    with ExitStack() as stack:
        for make in line.patches:
            stack.enter_context(make())  # type: ignore[arg-type]
