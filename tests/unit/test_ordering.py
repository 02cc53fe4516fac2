"""Records in the order of their times: what sorting all of them after a whole check gives."""

from __future__ import annotations

import json
import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.sources.ordering import Sorted
from streams.validation import InputRecord, IntakeRules, Invalid, Valid, check

RULES = IntakeRules(future_ms=None, max_record_bytes=400)
START = 1_790_000_000


def drawn(chance: random.Random, number: int) -> InputRecord:
    """A post, or one of the ways in which a record is none; all invented."""
    time: Any = START + chance.randrange(6)
    fields: dict[str, Any] = {
        "id": chance.choice(["a", "b", "é", "\U0001f600", f"p{number}", f"q{number}"]),
        "text": "nước đang lên",
        "created_at": chance.choice([time, time * 1000, str(time), "2026-09-22T03:46:41+07:00"]),
    }
    if chance.random() < 0.3:
        fields["source"] = chance.choice(["wall", "", None])
    broken = {
        0: {"text": 7},
        1: {"id": 5},
        2: {"created_at": chance.choice([None, "", "soon", 10**17])},
        3: {"source": chance.choice([3, " "])},
        4: {"id": "half \ud83d"},
        5: {"text": "x" * 500},
        6: {"reach": "many"},
    }
    fields |= broken.get(chance.randrange(14), {})
    raw = json.dumps(fields).encode()
    if chance.random() < 0.05:
        raw = raw[: len(raw) // 2]
    unreadable = Invalid("bad_row", "quotes", "feed") if chance.random() < 0.03 else None
    assumed = START * 1000 if chance.random() < 0.3 else None
    return InputRecord(
        source="feed",
        input=f"a:b.jsonl:{number}",
        raw=raw,
        assumed_at=assumed,
        unreadable=unreadable,
    )


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=60)
def test_sorted_records_are_those_of_a_plain_sort(seed: int) -> None:
    chance = random.Random(seed)
    records = [drawn(chance, number) for number in range(chance.choice([0, 1, 9, 80]))]
    found = [(record, check(record, RULES)) for record in records]
    good = [
        (c.post.created_at, c.post.source.encode(), c.post.id.encode(), number)
        for number, (_, c) in enumerate(found)
        if isinstance(c, Valid)
    ]
    expected = [found[row[3]] for row in sorted(good)]
    expected += [(record, c) for record, c in found if isinstance(c, Invalid)]
    ordered = Sorted(records, RULES)
    assert len(ordered) == len(records)
    assert list(ordered) == expected
