"""What every test gets: no settings or state of the machine, fixed chance, data if it is there."""

from __future__ import annotations

import os
import random
from pathlib import Path

# As `tindon` does it, see cli/main.py; numpy reads it when it is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pytest
from hypothesis import settings

from tests.servers import (  # fixtures and hooks
    elasticsearch,
    elasticsearch_url,
    fresh_name,
    kafka,
    pytest_configure,
    pytest_configure_node,
    pytest_unconfigure,
    servers_state,
    state_folder,
)

__all__ = [
    "elasticsearch",
    "elasticsearch_url",
    "fresh_name",
    "kafka",
    "pytest_configure",
    "pytest_configure_node",
    "pytest_unconfigure",
    "servers_state",
    "state_folder",
]

# The same examples in every run; no deadline, because build machines are busy.
settings.register_profile("tindon", derandomize=True, deadline=None)
# Fresh examples, for a search by hand: TINDON_TEST_HYPOTHESIS=search.
settings.register_profile("search", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("TINDON_TEST_HYPOTHESIS", "tindon"))

# Where downloads and data lie, and what the person at the keyboard asks of the suite.
KEPT = ("TINDON_CACHE", "TINDON_SHARED", "TINDON_TEST_")
REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No TINDON_ setting of the machine reaches a test, and state goes to the test's own folder."""
    for name in list(os.environ):
        if name.startswith("TINDON_") and not name.startswith(KEPT):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TINDON_STATE_DIR", str(tmp_path / "state"))
    random.seed(0)
    np.random.seed(0)


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    """The folder that the settings name as state_dir during this test; not made yet."""
    return tmp_path / "state"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with `data/labelled`, which is not part of the repository; skips without it."""
    folder = Path(os.environ.get("TINDON_SHARED") or REPOSITORY.parent / "shared")
    if not (folder / "data" / "labelled").is_dir():
        pytest.skip(f"labelled posts are not at {folder}; set TINDON_SHARED to their folder")
    return folder
