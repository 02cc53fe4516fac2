"""Ids are pure, distinct by kind, and unambiguous in their parts."""

from hypothesis import given
from hypothesis import strategies as st

from streams.ids import alert_id, event_id, micro_id, rumor_id


def test_ids_of_the_first_release_do_not_change() -> None:
    assert micro_id("a", "1") == "md2fe57d0df15c482"
    assert rumor_id("a", "1") == "r2dde57f8689f6ab8"
    assert event_id("r0") == "e1abdf1a865f180e9"
    assert alert_id("r0", 1) == "a4cb9aff452c085f3"


def test_where_the_source_ends_matters() -> None:
    assert rumor_id("ab", "c") != rumor_id("a", "bc")


@given(st.text(), st.text())
def test_any_id_can_be_hashed(source: str, post_id: str) -> None:
    for made in (micro_id(source, post_id), rumor_id(source, post_id)):
        assert len(made) == 17
        assert int(made[1:], 16) >= 0


def test_each_ordinal_is_another_alert() -> None:
    assert len({alert_id("r1", ordinal) for ordinal in range(100)}) == 100
