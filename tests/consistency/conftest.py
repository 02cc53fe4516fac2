"""The long form takes half an hour: `make chaos` asks for it."""

import os

collect_ignore = (
    [] if os.environ.get("TINDON_TEST_CHAOS") else ["test_chaos.py", "test_chaos_conditions.py"]
)
