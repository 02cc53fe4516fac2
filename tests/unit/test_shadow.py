"""When two settings' alerts are the same one, and what became of it."""

from __future__ import annotations

from evaluation.shadow.comparing import Sighting, compare, same

MINUTE = 60_000


def sighting(name: str, posts: str, at: int = 0, confirmed: int | None = None) -> Sighting:
    return Sighting(
        alert_id=name, headline=name, posts=list(posts), raised_at=at * MINUTE,
        posts_then=len(posts), confirmed_at=confirmed,
    )  # fmt: skip


def fates(now: list[Sighting], then: list[Sighting]) -> list[tuple[str, str | None, str | None]]:
    return [
        (p.fate, p.now and p.now.alert_id, p.then and p.then.alert_id) for p in compare(now, then)
    ]


def test_an_alert_is_the_same_when_half_of_the_smaller_ones_posts_are_shared() -> None:
    assert same(["abcdef"], ["abcxyz"]) == [(0, 0)]
    assert same(["abcdef"], ["abwxyz"]) == []
    assert same(["abcdefghijkl"], ["abc"]) == [(0, 0)]


def test_each_is_used_once_and_the_largest_share_wins() -> None:
    # The candidate's one large rumor is the live one with which it shares most.
    assert same(["abc", "defgh"], ["abcdefgh"]) == [(1, 0)]
    assert same(["abcdefgh"], ["abc", "defgh"]) == [(0, 1)]
    assert same([], ["abc"]) == []


def test_appear_vanish_earlier_later_and_levels() -> None:
    now = [
        sighting("a", "abcdef", at=10),
        sighting("b", "ghijkl", at=20),
        sighting("c", "mnopqr", at=30, confirmed=40 * MINUTE),
        sighting("d", "stuvwx", at=40),
        sighting("e", "012345", at=50),
    ]
    then = [
        sighting("a2", "abcd", at=5),
        sighting("b2", "ghijklyz", at=25),
        sighting("c2", "mnopqr", at=30),
        sighting("e2", "012345", at=50),
        sighting("f2", "6789", at=60),
    ]
    assert fates(now, then) == [
        ("earlier", "a", "a2"),
        ("later", "b", "b2"),
        ("lowered", "c", "c2"),
        ("vanishes", "d", None),
        ("appears", None, "f2"),
        ("same", "e", "e2"),
    ]
    first, second, *_ = compare(now, then)
    assert (first.minutes, first.posts) == (-5.0, -2)
    assert (second.minutes, second.posts) == (5.0, 2)
    assert fates(then[2:3], now[2:3]) == [("raised", "c2", "c")]


def test_the_same_settings_differ_in_nothing() -> None:
    alerts = [sighting("a", "abcdef", at=10, confirmed=5), sighting("b", "ghijkl", at=20)]
    assert {fate for fate, *_ in fates(alerts, alerts)} == {"same"}
