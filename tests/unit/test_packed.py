"""A portion comes out of its message as it went in."""

from __future__ import annotations

import pytest

from agents.front import Portion
from agents.orders import Order
from agents.packed import pack, unpack
from streams.codec import CodecError, encode
from streams.records import Dead
from streams.validation import Tick
from tests.fold_scene import (
    DAY,
    DENSE_DOOR,
    MINUTE,
    START,
    Road,
    alert_fold,
    cluster_fold,
    drawn_log,
    frame,
)


def portion() -> Portion:
    """Changes with and without posts and aged micro-clusters."""
    road = Road(cluster_fold(door=DENSE_DOOR, window_ms=40 * MINUTE), alert_fold(door=DENSE_DOOR))
    later = [Tick(START + 400 * DAY), Tick(START + 401 * DAY)]
    log = [*drawn_log(7, 300, window_ms=40 * MINUTE), *later]
    road.take([frame(log, door=DENSE_DOOR)])
    changes = road.changes
    assert any(not len(c.rows) for c in changes) and any(c.aged for c in changes)
    letter = Dead(
        source="feed", id="p1", reason="no_text", detail="text is missing", input="test:1", raw=""
    )
    orders = [Order(id="a1"), Order(id="a2")]
    return Portion(300, [b"one", b""], [letter], changes, b"snapshot", orders, 0.5)


def test_what_was_packed_comes_out() -> None:
    given = portion()
    assert all(getattr(given, name) for name in Portion.__struct_fields__), "each field is tried"
    found = unpack(pack(given))
    assert [encode(change) for change in found.changes] == [encode(c) for c in given.changes]
    given.changes = found.changes = []
    assert found == given


def test_the_alert_fold_makes_the_same_of_it() -> None:
    given = portion()
    plain, packed = alert_fold(door=DENSE_DOOR), alert_fold(door=DENSE_DOOR)
    for one, other in zip(given.changes, unpack(pack(given)).changes, strict=True):
        assert plain.apply(one) == packed.apply(other)


def test_a_portion_without_changes() -> None:
    empty = Portion(0, [], [], [], None)
    assert unpack(pack(empty)) == empty


def test_damage_is_refused() -> None:
    message = bytearray(pack(portion()))
    message[len(message) // 2] ^= 1
    with pytest.raises(CodecError):
        unpack(bytes(message))
