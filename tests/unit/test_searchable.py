"""Which posts are asked for: those that join a rumor whose posts are in the store already."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from agents.kafka.metrics import Metrics
from agents.kafka.searchable import RUMORS, Newcomers, Probe
from stores import StoreError
from streams.documents import PostDocument
from tests.contracts.store_documents import BASE, post


def test_a_post_joins_a_rumor_of_an_earlier_delivery() -> None:
    new = Newcomers()
    assert new.joined([post("p1", created_at=BASE), post("p2", created_at=BASE + 5)]) is None
    late = [post("p3", created_at=BASE + 9), post("p4", created_at=BASE + 8)]
    found = new.joined([*late, post("q1", rumor_id="r2", created_at=BASE + 50)])
    assert found is not None and found.post_id == "p3"


def test_what_is_older_than_the_rumors_newest_was_moved_or_sent_again() -> None:
    new = Newcomers()
    new.joined([post("p1", created_at=BASE)])
    assert new.joined([post("p1", created_at=BASE), post("p0", created_at=BASE - 5)]) is None
    assert new.joined([]) is None


def test_only_so_many_rumors_are_remembered() -> None:
    new = Newcomers()
    for number in range(RUMORS + 1):
        new.joined([post("p", rumor_id=f"r{number}", created_at=BASE)])
    assert new.joined([post("x", rumor_id="r0", created_at=BASE + 1)]) is None
    assert new.joined([post("x", rumor_id=f"r{RUMORS}", created_at=BASE + 1)]) is not None


class Shows:
    """A store whose search finds a post at the third question."""

    def __init__(self, error: Exception | None = None) -> None:
        self.asked: list[PostDocument] = []
        self.error = error

    def searchable(self, post: PostDocument) -> bool:
        self.asked.append(post)
        if self.error is not None:
            raise self.error
        return len(self.asked) >= 3


def measured(store: Any) -> tuple[float, float]:
    metrics = Metrics()

    async def road() -> None:
        probe = Probe(store, metrics)
        now = time.time_ns() // 1_000_000
        probe.written([post("p1", created_at=now - 5_000)])
        probe.written([post("p2", created_at=now - 3_000)])
        assert probe._asking is not None
        await probe._asking

    asyncio.run(road())
    ask = metrics.registry.get_sample_value
    name = "tindon_post_to_searchable_seconds"
    return ask(f"{name}_count") or 0.0, ask(f"{name}_sum") or 0.0


def test_the_store_is_asked_until_it_shows_the_post() -> None:
    store = Shows()
    count, seconds = measured(store)
    assert [one.post_id for one in store.asked] == ["p2"] * 3
    assert count == 1 and seconds >= 3.0


def test_a_store_without_the_question_shows_at_once() -> None:
    assert measured(object())[0] == 1


def test_a_store_that_is_away_is_not_measured() -> None:
    assert measured(Shows(StoreError("away"))) == (0.0, 0.0)
