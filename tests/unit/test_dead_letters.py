"""With which value and headers the record of a dead letter arrives again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiokafka.structs import ConsumerRecord

from agents.kafka.letters import Letter, Wanted, anew
from streams.records import Dead

WRITTEN = 1_700_000_000_123


def record(value: bytes, **headers: bytes) -> Any:
    return ConsumerRecord(
        topic="t.posts", partition=1, offset=7, timestamp=WRITTEN, timestamp_type=0,
        key=None, value=value, checksum=None, serialized_key_size=0, serialized_value_size=0,
        headers=list(headers.items()),
    )  # fmt: skip


def dead(reason: str) -> Dead:
    return Dead(source="s", id=None, reason=reason, detail="why", input="t.posts/1/7", raw="")


def test_a_foreign_record_keeps_its_bytes_and_the_time_of_its_arrival() -> None:
    value, headers = anew(record(b"{}"), dead("no_time"), live=True) or (b"", [])
    assert value == b"{}"
    assert dict(headers) == {"input": b"t.posts/1/7", "received_at": str(WRITTEN).encode()}


def test_what_came_too_early_arrives_now() -> None:
    _, headers = anew(record(b"{}", received_at=b"5"), dead("future"), live=True) or (b"", [])
    assert "received_at" not in dict(headers)


def test_event_time_knows_no_arrival() -> None:
    _, headers = anew(record(b"{}"), dead("no_time"), live=False) or (b"", [])
    assert "received_at" not in dict(headers)


def test_our_own_intakes_verdict_is_judged_anew_without_the_masked_author() -> None:
    sealed = record(b'{"id":"1","author":"[author]"}', invalid=b"{}", source=b"s")
    value, headers = anew(sealed, dead("no_time"), live=False) or (b"", [])
    assert json.loads(value) == {"id": "1"}
    assert "invalid" not in dict(headers)


@pytest.mark.parametrize("reason", ["too_large", "bad_row", "truncated_file"])
def test_remains_of_a_record_are_not_sent(reason: str) -> None:
    assert anew(record(b"half a rec", invalid=b"{}"), dead(reason), live=False) is None


def test_only_letters_of_the_embed_agent_name_a_place_in_posts() -> None:
    assert Letter("3/17", 0, "embed", dead("no_time"), False).place == (3, 17)
    assert Letter("t.alerts/0/17", 0, "index", dead("refused"), False).place is None


def test_letters_are_chosen_by_reason_and_time() -> None:
    letter = Letter("3/17", 1_000, "embed", dead("no_time"), False)
    assert Wanted().holds(letter) and Wanted(["no_time"], 1_000).holds(letter)
    assert not Wanted(["future"]).holds(letter)
    assert not Wanted(since=1_001).holds(letter)
