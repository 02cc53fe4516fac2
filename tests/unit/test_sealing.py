"""What leaves our own intake holds no personal data, and the door reads the same post from it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.door import Door
from embeddings.sealing import seal
from streams.records import Dead
from streams.validation import InputRecord, IntakeRules, check

KEY = b"k" * 32
RULES = IntakeRules(future_ms=None)
DOOR = Door(key=KEY, rules=RULES)
POST = {
    "id": "1",
    "created_at": "2026-10-13T05:00:00.250+07:00",
    "text": "Gọi 0912 345 678 hoặc thư a.b@example.org để hỏi về đập Hòn Ráng",
    "author": "người viết",
    "platform": "forum",
    "community": "Xóm Bãi, hỏi 0912345678",
    "phone": "0912345678",
    "reach": 12,
}


def record(fields: dict[str, Any] | bytes) -> InputRecord:
    raw = fields if isinstance(fields, bytes) else json.dumps(fields, ensure_ascii=False).encode()
    return InputRecord(source="page", input="posts.jsonl:1", raw=raw)


def sealed(one: InputRecord) -> InputRecord:
    return seal(one, check(one, RULES), key=KEY)


def test_no_author_number_or_unknown_field_leaves_the_intake() -> None:
    raw = sealed(record(POST)).raw.decode()
    for secret in ("người viết", "0912", "345 678", "example.org", 'phone"'):
        assert secret not in raw


def test_the_same_author_stays_one_voice_and_two_stay_two() -> None:
    def author(name: str) -> str:
        return str(json.loads(sealed(record(POST | {"author": name})).raw)["author"])

    assert author("a") == author("a") != author("b")


@given(
    st.fixed_dictionaries(
        {
            "id": st.text("abc123", min_size=1, max_size=5),
            "text": st.text(max_size=200),
            "created_at": st.integers(10**11, 4 * 10**12),
        },
        optional={
            "author": st.text(max_size=10),
            "community": st.text(max_size=30),
            "reply_to": st.text("abc", min_size=1, max_size=3),
            "kind": st.sampled_from(["post", "tip", "correction"]),
            "reach": st.integers(0, 10**6),
            "lang": st.sampled_from(["vi", "en"]),
        },
    )
)
def test_the_door_reads_the_same_post_from_a_sealed_record(fields: dict[str, Any]) -> None:
    plain, again = DOOR.admit(record(fields)), DOOR.admit(sealed(record(fields)))
    if isinstance(plain, Dead):
        assert isinstance(again, Dead)
        assert (again.reason, again.id, again.raw) == (plain.reason, plain.id, plain.raw)
    else:
        assert not isinstance(again, Dead)
        for name in ("source", "id", "created_at", "text", "lang", "wording", "flags", "kind",
                     "reach", "community", "reply_to"):  # fmt: skip
            assert getattr(again.post, name) == getattr(plain.post, name)


@pytest.mark.parametrize("raw", [b"{", b"\xff\xfe", b"[]", b'{"id": "1", "author": "An Nguyen"}'])
def test_what_is_no_post_keeps_its_reason_and_masked_remains(raw: bytes) -> None:
    plain, again = DOOR.admit(record(raw)), DOOR.admit(sealed(record(raw)))
    assert isinstance(plain, Dead) and isinstance(again, Dead)
    assert (again.reason, again.raw) == (plain.reason, plain.raw)
    assert b"An Nguyen" not in sealed(record(raw)).raw
