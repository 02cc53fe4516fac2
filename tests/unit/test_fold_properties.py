"""Fold purity, for logs drawn by chance: the same log, the same bytes, however it was delivered."""

from __future__ import annotations

import hashlib
import json
import random
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embeddings.door import Door
from streams.codec import encode, pack_state, unpack_state
from streams.documents import Batch
from streams.effects import Effects
from streams.records import EntryKind, Frame, Outcome
from streams.validation import Tick
from tests.fold_scene import (
    DAY,
    DENSE_DOOR,
    DOOR,
    Entry,
    Road,
    alert_fold,
    cluster_fold,
    cut,
    drawn_log,
    frame,
    level,
)

WINDOW = 2 * DAY
SEEDS = st.integers(0, 2**32 - 1)

pytestmark = pytest.mark.parametrize("door", [DOOR, DENSE_DOOR], ids=["words", "dense"])


# Below the default thresholds, so that rumors and alerts form, merge and age in a small log, and with so few
# alerts an hour that some wait and some are covered.
RULES = {
    "suggest": level(0.1, 3, 2),
    "confirm": level(0.4, 5, 4),
    "index_posts": 3,
    "per_hour": 1,
    "cooldown_h": 3.0,
    "cover_threshold": 0.05,
}


def road(door: Door) -> Road:
    return Road(
        cluster_fold(door=door, window_ms=WINDOW, micro_threshold=0.6),
        alert_fold(door=door, **RULES),
    )


def whole(seed: int, door: Door) -> Frame:
    chance = random.Random(seed)
    return frame(drawn_log(seed, chance.choice([3, 70, 140, 260]), window_ms=WINDOW), door=door)


def outputs(done: Road) -> tuple[list[str], list[str]]:
    """A digest of each change, and of each change's effects: where two runs part can be seen."""
    return [_digest(encode(c)) for c in done.changes], [_said(e) for e in done.effects]


def _said(effects: Effects) -> str:
    return _digest(msgspec.msgpack.encode(effects))


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=4).hexdigest()


def undisturbed(log: Frame, door: Door) -> Road:
    done = road(door)
    done.take([log])
    return done


def points(seed: int, size: int) -> list[int]:
    chance = random.Random(seed)
    return [chance.randrange(size) for _ in range(chance.choice([1, 5, 40, size]))]


def test_the_scene_has_alerts_that_wait_and_rumors_that_are_covered(door: Door) -> None:
    done = [
        undisturbed(frame(drawn_log(seed, 260, window_ms=WINDOW), door=door), door)
        for seed in range(6)
    ]
    batches = [effects.batch for one in done for effects in one.effects]
    assert any(d.waited_ms > 0 for batch in batches for d in batch.alerts)
    assert any(d.waiting_since is not None for batch in batches for d in batch.rumors)
    assert any(d.covers for batch in batches for d in batch.alerts)
    assert any(d.covered_by is not None for batch in batches for d in batch.rumors)


@given(seed=SEEDS, cuts=SEEDS)
@settings(max_examples=8)
def test_no_score_without_its_reasons(door: Door, seed: int, cuts: int) -> None:
    log = whole(seed, door)
    done = road(door)
    done.take(cut(log, points(cuts, len(log.offsets))))
    found = [d for e in done.effects for d in (*e.batch.rumors, *e.batch.alerts, *e.closed)]
    found += done.alert.open_documents()
    for document in found:
        assert document.signals and all(s.definition for s in document.signals)
        total = sum(s.weight * min(s.value / s.threshold, 1.0) for s in document.signals)
        assert abs(document.score - min(max(total, 0.0), 1.0)) < 1e-4
    for raised in (r for e in done.effects for r in e.raised):
        total = sum(s.weight * min(s.value / s.threshold, 1.0) for s in raised.signals)
        assert abs(raised.score - min(max(total, 0.0), 1.0)) < 1e-4


@given(seed=SEEDS, cuts=SEEDS)
@settings(max_examples=8)
def test_frame_cuts_change_nothing(door: Door, seed: int, cuts: int) -> None:
    log = whole(seed, door)
    expected = undisturbed(log, door)
    got = road(door)
    got.take(cut(log, points(cuts, len(log.offsets))))
    assert outputs(got) == outputs(expected)
    assert got.state() == expected.state()


@given(seed=SEEDS, stop=SEEDS)
@settings(max_examples=8)
def test_restart_from_any_checkpoint_changes_nothing(door: Door, seed: int, stop: int) -> None:
    log = whole(seed, door)
    expected = undisturbed(log, door)
    got = road(door)
    for part in cut(log, points(stop, len(log.offsets))[:5]):
        fresh = road(door)
        clusters, alerts = got.state()
        fresh.cluster.restore(unpack_state(clusters))
        fresh.alert.restore(unpack_state(alerts))
        assert fresh.state() == (clusters, alerts)
        fresh.changes, fresh.effects = got.changes, got.effects
        fresh.take([part])
        got = fresh
    assert outputs(got) == outputs(expected)
    assert got.state() == expected.state()


@given(seed=SEEDS, cuts=SEEDS)
@settings(max_examples=8)
def test_entries_sent_again_in_other_frames_change_nothing(
    door: Door, seed: int, cuts: int
) -> None:
    log = whole(seed, door)
    expected = undisturbed(log, door)
    chance = random.Random(cuts)
    got = road(door)
    size = len(log.offsets)
    reached = 0
    while reached < size:
        # A producer that was restarted begins anew somewhere before what it had sent.
        start = chance.randint(max(0, reached - 50), reached)
        end = min(size, max(start + 1, reached + chance.randint(-20, 60)))
        middle = chance.randint(start, end)
        got.take(part for part in _spans(log, [start, middle, end]))
        reached = max(reached, end)
    assert outputs(got) == outputs(expected)
    assert got.state() == expected.state()


def _spans(log: Frame, ends: list[int]) -> list[Frame]:
    parts = {int(p.offsets[0]): p for p in cut(log, ends)}
    return [parts[a] for a, b in pairwise(ends) if a < b]


@given(seed=SEEDS)
@settings(max_examples=8)
def test_nothing_vanishes(door: Door, seed: int) -> None:
    log = whole(seed, door)
    done = undisturbed(log, door)
    taken = [int(o) for c in done.changes for o in c.rows.outcome]
    dead = sum(c.dead for c in done.changes)
    assert len(taken) == int((log.kinds == EntryKind.POST).sum())
    assert dead == int((log.kinds == EntryKind.DEAD).sum())
    assert set(taken) <= {Outcome.FOLDED, Outcome.DUPLICATE, Outcome.LATE}
    # The alert fold says the same.
    assert [a.outcome for e in done.effects for a in e.assigned] == taken
    assert sum(e.dead for e in done.effects) == dead
    # Folded posts, and only they, have a micro-cluster and a rumor.
    for effect in done.effects:
        for a in effect.assigned:
            names = (a.micro, a.rumor, a.event)
            assert all(names) if a.outcome == Outcome.FOLDED else not any(names)


@given(seed=SEEDS, repeats=SEEDS)
@settings(max_examples=5)
def test_changes_applied_again_change_nothing(door: Door, seed: int, repeats: int) -> None:
    done = undisturbed(whole(seed, door), door)
    chance = random.Random(repeats)
    again = alert_fold(door=door, **RULES)
    effects = []
    for at, change in enumerate(done.changes):
        effects.append(again.apply(change))
        for earlier in done.changes[max(0, at - chance.randint(0, 3)) : at + 1]:
            repeated = again.apply(earlier)
            assert not repeated.batch
            assert not (repeated.assigned or repeated.raised or repeated.merged or repeated.dead)
    assert [_said(e) for e in effects] == outputs(done)[1]
    assert pack_state(again.snapshot()) == done.state()[1]


@given(seed=SEEDS)
@settings(max_examples=8)
def test_documents_have_one_version_each_and_versions_ascend(door: Door, seed: int) -> None:
    done = undisturbed(whole(seed, door), door)
    last: dict[object, int] = {}
    batches = [e.batch for e in done.effects]
    for number, batch in enumerate(batches, 1):
        keyed = [
            *((d.rumor_id, d.version) for d in batch.rumors),
            *((d.alert_id, d.version) for d in batch.alerts),
            *(((d.source, d.post_id), d.version) for d in batch.posts),
            *(((d.bucket, d.language, d.platform, d.category), d.version) for d in batch.trends),
        ]
        for key, version in keyed:
            assert version == number, "the version is the number of the change"
            assert last.get(key, 0) < version, f"{key} twice in version {version}"
            last[key] = version


@given(seed=SEEDS, held=SEEDS)
@settings(max_examples=12)
def test_documents_that_waited_are_those_of_who_did_not_wait(
    door: Door, seed: int, held: int
) -> None:
    """A caller may have the documents of rumors wait for the next changes: only replaced ones are lost."""
    done = undisturbed(frame(_ticking(drawn_log(seed, 200, window_ms=WINDOW)), door=door), door)
    chance = random.Random(held)
    waiting = alert_fold(door=door, **RULES)
    got: list[Batch] = []
    plain: list[Batch] = []
    for change, effects in zip(done.changes, done.effects, strict=True):
        more, asked = chance.random() < 0.9, chance.random() < 0.1
        got.append(waiting.apply(change, more=more).batch)
        plain.append(effects.batch)
        if asked:
            got.append(waiting.owed())
            assert not waiting.owed()
        if asked or not more:
            standing = {document.rumor_id for document in waiting.open_documents()}
            assert standing & _newest(plain).keys() == standing & _newest(got).keys()
    got.append(waiting.owed())
    assert pack_state(waiting.snapshot()) == done.state()[1]
    got.append(waiting.flush())
    plain.append(done.alert.flush())
    assert _newest(got) == _newest(plain)


def _ticking(log: list[Entry]) -> list[Entry]:
    """The log with a tick after every third post, so that documents fall due often."""
    ticking: list[Entry] = []
    now = 0
    for number, entry in enumerate(log):
        ticking.append(entry)
        if isinstance(entry, Tick):
            now = max(now, entry.at)
        elif entry.raw.startswith(b'{"id'):
            now = max(now, json.loads(entry.raw)["created_at"])
        if number % 3 == 0:
            ticking.append(Tick(now))
    return ticking


def _newest(batches: list[Batch]) -> dict[str, object]:
    newest: dict[str, object] = {}
    for batch in batches:
        newest |= {d.rumor_id: d for d in batch.rumors} | {d.alert_id: d for d in batch.alerts}
    return newest


@given(seed=SEEDS, chance=SEEDS)
@settings(max_examples=8)
def test_what_the_alert_fold_expects_changes_nothing(door: Door, seed: int, chance: int) -> None:
    """Changes that were foreseen, that come otherwise than foreseen, and that nobody foresaw."""
    expected = undisturbed(whole(seed, door), door)
    changes, draw = expected.changes, random.Random(chance)
    for foreseen in (lambda part: part, lambda part: part[::2], lambda part: part[::-1]):
        fold, said = alert_fold(door=door, **RULES), list[str]()
        at = 0
        while at < len(changes):
            part = changes[at : at + draw.choice([1, 5, 40, 400])]
            fold.expect(foreseen(part))
            for change in part:
                said.append(_said(fold.apply(change)))
                if not draw.randrange(50):
                    fold.snapshot()
            at += len(part)
        assert said == outputs(expected)[1]
        assert pack_state(fold.snapshot()) == expected.state()[1]
