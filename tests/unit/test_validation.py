"""Each kind of bad record is dead with its reason; small damage is mended; nothing raises."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from streams.records import Post
from streams.timestamps import parse_time
from streams.validation import (
    FIELDS,
    MAX_REACH,
    REASONS,
    InputRecord,
    IntakeRules,
    Invalid,
    Valid,
    check,
    validate,
)

GOOD = {"id": "1", "text": "Đập sắp vỡ", "created_at": "2026-01-31T08:15:00+07:00"}
AT = 1_769_822_100_000
NOW = AT + 1_000


def checked(record: dict[str, Any] | bytes, **options: Any) -> Valid | Invalid:
    raw = record if isinstance(record, bytes) else json.dumps(record).encode()
    settings = {"source": "nguon", "received_at": NOW, "rules": IntakeRules()} | options
    return validate(raw, **settings)


def post(record: dict[str, Any] | bytes, **options: Any) -> Post:
    result = checked(record, **options)
    assert isinstance(result, Valid), result
    return result.post


def reason(record: dict[str, Any] | bytes, **options: Any) -> str:
    result = checked(record, **options)
    assert isinstance(result, Invalid), result
    assert result.reason in REASONS
    assert result.detail and "\n" not in result.detail
    return result.reason


def test_a_good_post_is_read_in_full() -> None:
    full = GOOD | {
        "lang": "vi",
        "author": "a",
        "platform": "facebook",
        "community": "nhóm",
        "url": "https://x.example/1",
        "reply_to": "0",
        "repost_of": "0",
        "reach": 12,
        "kind": "tip",
        "source": "khac",
    }
    found = post(full)
    assert found.created_at == AT and found.received_at == NOW
    assert (found.source, found.id, found.kind, found.reach) == ("khac", "1", "tip", 12)
    assert post(GOOD).source == "nguon"


def test_unknown_fields_are_left_out_and_counted() -> None:
    result = checked(GOOD | {"likes": 3, "cluster": None})
    assert isinstance(result, Valid)
    assert result.unknown_fields == 2


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", "not_json"),
        (b'{"id": "1", "text": "x', "not_json"),
        (b"{'id': 1}", "not_json"),
        (b'{"id": "1"} {"id": "2"}', "not_json"),
        (b'{"a": NaN}', "not_json"),
        (b'{"a": "\\u12"}', "not_json"),
        (b"[" * 100_000, "not_json"),
        (b'{"a":' * 100_000, "not_json"),
        (b'{"text": "\xff\xfe"}', "not_utf8"),
        (b"\xff", "not_utf8"),
        (b"[]", "not_object"),
        (b"3", "not_object"),
        (b"null", "not_object"),
        (b'"x"', "not_object"),
    ],
)
def test_what_is_no_object(raw: bytes, expected: str) -> None:
    assert reason(raw) == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"id": None}, "no_id"),
        ({"id": ""}, "no_id"),
        ({"id": " \n"}, "no_id"),
        ({"id": 7}, "bad_id"),
        ({"id": True}, "bad_id"),
        ({"id": ["1"]}, "bad_id"),
        ({"id": "x" * 257}, "bad_id"),
        ({"id": "a\u0000b"}, "bad_id"),
        ({"id": "a\nb"}, "bad_id"),
        ({"id": "a\ud800"}, "bad_id"),
        ({"source": 3}, "bad_source"),
        ({"source": " "}, "bad_source"),
        ({"source": "x" * 129}, "bad_source"),
        ({"source": "a\tb"}, "bad_source"),
        ({"text": None}, "no_text"),
        ({"text": ""}, "no_text"),
        ({"text": " \n\t\u00a0"}, "no_text"),
        ({"text": "\u0000"}, "no_text"),
        ({"text": 5}, "bad_text"),
        ({"text": {"a": 1}}, "bad_text"),
        ({"created_at": None}, "no_time"),
        ({"created_at": ""}, "no_time"),
        ({"created_at": "  "}, "no_time"),
        ({"created_at": "2026-01-31T08:15:00"}, "bad_time"),
        ({"created_at": "2026-01-31"}, "bad_time"),
        ({"created_at": "hôm qua"}, "bad_time"),
        ({"created_at": "2026-02-30T00:00:00Z"}, "bad_time"),
        ({"created_at": "1969-12-31T00:00:00Z"}, "bad_time"),
        ({"created_at": "0001-01-01T00:00:00+14:00"}, "bad_time"),
        ({"created_at": True}, "bad_time"),
        ({"created_at": -5}, "bad_time"),
        ({"created_at": 10**18}, "bad_time"),
        ({"created_at": 10**400}, "bad_time"),
        ({"created_at": []}, "bad_time"),
        ({"created_at": AT + 700_000}, "future"),
        ({"lang": 1}, "bad_field"),
        ({"author": 1.5}, "bad_field"),
        ({"author": True}, "bad_field"),
        ({"platform": []}, "bad_field"),
        ({"url": {}}, "bad_field"),
        ({"url": "x" * 5000}, "bad_field"),
        ({"reach": -1}, "bad_field"),
        ({"reach": True}, "bad_field"),
        ({"reach": 1.5}, "bad_field"),
        ({"reach": MAX_REACH + 1}, "bad_field"),
        ({"reach": "viele"}, "bad_field"),
        ({"kind": "rumor"}, "bad_field"),
        ({"kind": ["post"]}, "bad_field"),
    ],
)
def test_each_bad_field_has_its_reason(change: dict[str, Any], expected: str) -> None:
    assert reason(GOOD | change) == expected


def test_a_missing_field_is_as_an_empty_one() -> None:
    for name, expected in (("id", "no_id"), ("text", "no_text"), ("created_at", "no_time")):
        assert reason({key: value for key, value in GOOD.items() if key != name}) == expected


def test_a_dead_post_keeps_its_id_and_source_where_they_can_be_read() -> None:
    dead = checked(GOOD | {"text": None, "source": "khac"})
    assert isinstance(dead, Invalid)
    assert (dead.source, dead.id) == ("khac", "1")
    dead = checked(b"{")
    assert isinstance(dead, Invalid)
    assert (dead.source, dead.id) == ("nguon", None)


def test_no_detail_repeats_the_post() -> None:
    for change in ({"id": ["0904058336"]}, {"created_at": "0904058336x"}, {"kind": "0904058336"}):
        dead = checked(GOOD | change)
        assert isinstance(dead, Invalid)
        assert "0904058336" not in dead.detail


def test_a_record_over_the_limit_is_too_large() -> None:
    raw = json.dumps(GOOD | {"x": "y" * 2000}).encode()
    assert reason(raw, rules=IntakeRules(max_record_bytes=1000)) == "too_large"
    assert isinstance(checked(raw, rules=IntakeRules(max_record_bytes=len(raw))), Valid)


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2026-01-31T08:15:00+07:00", AT),
        ("2026-01-31T01:15:00Z", AT),
        ("2026-01-31 01:15:00.1239+00:00", AT + 123),
        ("20260131T011500Z", AT),
        (AT, AT),
        (AT // 1000, AT),
        (AT / 1000 + 0.25, AT + 250),
        (float(AT), AT),
        (str(AT), AT),
        (f"{AT // 1000}.5", AT + 500),
        (f" {AT // 1000} ", AT),
        (0, 0),
        ("1970-01-01T00:00:00Z", 0),
        (99_999_999_999 // 1000, 99_999_999_000),
        (100_000_000_000, 100_000_000_000),
    ],
)
def test_times_are_read_in_all_their_forms(written: object, at: int) -> None:
    assert parse_time(written) == at


@given(st.integers(0, 4_102_444_800_000))
def test_a_time_in_ms_after_1973_comes_back(at: int) -> None:
    if at >= 100_000_000_000:
        assert parse_time(at) == parse_time(str(at)) == at
    assert parse_time(at // 1000 if at < 10**14 else at) == at // 1000 * 1000


def test_a_replay_has_no_future_and_takes_the_posts_own_time_as_its_arrival() -> None:
    later = GOOD | {"created_at": "2099-01-01T00:00:00Z"}
    assert reason(later) == "future"
    found = post(later, received_at=None)
    assert found.received_at == found.created_at


def test_posts_without_time() -> None:
    timeless = {"id": "1", "text": "x"}
    rules = IntakeRules(arrival_time_sources=frozenset({"tin-bao"}))
    assert post(timeless, source="tin-bao", rules=rules).created_at == NOW
    assert post(timeless | {"source": "tin-bao"}, rules=rules).created_at == NOW
    assert reason(timeless, rules=rules) == "no_time"
    assert post(timeless, assumed_at=77).created_at == 77
    assert post(GOOD, assumed_at=77).created_at == AT


def test_small_damage_is_mended() -> None:
    raw = b'{"id":"1","text":"vo\\u0000 dap \\ud83d roi","created_at":1769822100}'
    assert post(raw).text == "vo  dap \ufffd roi"
    assert post(GOOD | {"text": "dòng một\ndòng hai\t!"}).text == "dòng một\ndòng hai\t!"


def test_numeric_authors_and_cells_of_a_table_are_read() -> None:
    assert post(GOOD | {"author": 12345678901234567890}).author == "12345678901234567890"
    assert post(GOOD | {"reach": "12", "kind": "", "lang": ""}).reach == 12
    assert post(GOOD | {"reach": 3.0}).reach == 3


def test_what_a_reader_found_dead_stays_dead() -> None:
    invalid = Invalid("truncated_file", "x", "s")
    record = InputRecord(source="s", input="f:1", raw=json.dumps(GOOD).encode(), unreadable=invalid)
    assert check(record, IntakeRules()) is invalid


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
NAMES = st.sampled_from(
    [*GOOD, "lang", "author", "platform", "url", "reach", "kind", "source", "x"]
)


@settings(max_examples=300)
@given(st.dictionaries(NAMES, JSON, max_size=8), st.booleans())
@example({"id": "1", "text": "x", "created_at": float("inf")}, False)
@example({"id": "1", "text": "x", "created_at": 1e17}, False)
def test_any_fields_give_a_post_or_a_reason(change: dict[str, Any], with_good: bool) -> None:
    record = GOOD | change if with_good else change
    for raw in (record, json.dumps(record).encode()):
        result = validate(raw, source="s", received_at=NOW, rules=IntakeRules())
        if isinstance(result, Invalid):
            assert result.reason in REASONS
        else:
            result.post.text.encode()
            result.post.id.encode()
            assert result.post.created_at >= 0


@settings(max_examples=300)
@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes_give_a_post_or_a_reason(raw: bytes) -> None:
    assert isinstance(checked(raw), Invalid | Valid)


def test_each_reason_has_its_line_in_the_document() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "intake.md").read_text("utf-8")
    assert [word for word in REASONS if f"`{word}`" not in page] == []
    assert [name for name in FIELDS if f"`{name}`" not in page] == []
