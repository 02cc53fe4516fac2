"""Which partition a post goes to: by what it says alone, in every batch, without loss."""

from __future__ import annotations

import json

import numpy as np
import pytest

from clusters.heir import heir
from embeddings.door import Door
from streams.cells import BITS, cells, split
from streams.codec import encode, pack_state, unpack_state
from streams.ids import micro_id
from streams.records import Change, EntryKind, Frame, Outcome
from streams.sources.scenario import generate
from streams.validation import InputRecord, Tick
from tests.fold_scene import (
    BANK,
    DAM,
    DAM_AGAIN,
    DENSE_DOOR,
    DOOR,
    START,
    cluster_fold,
    cut,
    dead,
    frame,
    post,
)  # fmt: skip

PARTITIONS = (2, 3, 4, 16)


def day(posts: int = 300) -> list[InputRecord | Tick]:
    """Invented posts with ticks and dead records between them."""
    entries: list[InputRecord | Tick] = []
    for number, made in enumerate(generate()[:posts]):
        raw = json.dumps(made).encode()
        entries.append(InputRecord(source="feed", input=f"test:{number}", raw=raw))
        if number % 40 == 39:
            entries += [dead(number), Tick(START + number)]
    return entries


@pytest.fixture(params=[DOOR, DENSE_DOOR], ids=["features", "dense"])
def door(request: pytest.FixtureRequest) -> Door:
    made: Door = request.param
    return made


def test_a_cell_depends_on_the_text_alone(door: Door) -> None:
    whole = frame(day(), door=door)
    found = cells(whole.posts)
    assert found.min() >= 0 and found.max() < 1 << BITS
    assert len(set(found.tolist())) > 1 or door is DENSE_DOOR, "the day says more than one thing"
    parts = [cells(part.posts) for part in cut(whole, [1, 7, 100, 101, 250])]
    assert np.concatenate(parts).tolist() == found.tolist()
    text = generate()[0]["text"]
    twice = frame([post("1", text), post("2", text, START + 9, source="other")], door=door)
    assert len(set(cells(twice.posts).tolist())) == 1


def test_opposite_meanings_lie_apart_and_near_ones_together() -> None:
    posts = frame([post("1", DAM), post("2", BANK), post("3", DAM_AGAIN)], door=DENSE_DOOR).posts
    meaning = np.linspace(-1, 1, 16, dtype=np.float32) + 0.01
    posts.dense = np.stack([meaning, -meaning, meaning * np.float32(1.01)])
    one, other, near = cells(posts).tolist()
    assert one == near and one ^ other == (1 << BITS) - 1, "every bit differs"


@pytest.mark.parametrize("partitions", PARTITIONS)
def test_every_entry_is_in_one_part_and_ticks_in_all(door: Door, partitions: int) -> None:
    whole = frame(day(), door=door)
    parts = split(whole, partitions)
    assert len(parts) == partitions
    for part in parts:
        assert (np.diff(part.offsets) > 0).all(), "offsets ascend, so that resent ones are known"
        assert part.ticks == whole.ticks
        assert len(part.posts) == (part.kinds == EntryKind.POST).sum()
        assert len(part.dead) == (part.kinds == EntryKind.DEAD).sum()
    posts = {key: p for p, part in enumerate(parts) for key in part.posts.id}
    assert sorted(key for part in parts for key in part.posts.id) == sorted(whole.posts.id)
    assert set(posts.values()) <= set(range(partitions))
    assert [one for part in parts for one in part.dead] == whole.dead
    held = np.concatenate([part.offsets[part.kinds != EntryKind.TICK] for part in parts])
    assert sorted(held.tolist()) == whole.offsets[whole.kinds != EntryKind.TICK].tolist()


@pytest.mark.parametrize("partitions", PARTITIONS)
def test_a_part_reads_as_a_frame_of_its_posts_alone(door: Door, partitions: int) -> None:
    entries = day(120)
    whole = frame(entries, door=door)
    to = iter((cells(whole.posts) % partitions).tolist())
    owner = [next(to) if kind == EntryKind.POST else 0 for kind in whole.kinds.tolist()]
    for partition, part in enumerate(split(whole, partitions)):
        kept = [
            (i, entry)
            for i, entry in enumerate(entries)
            if owner[i] == partition or isinstance(entry, Tick)
        ]
        alone = frame([entry for _, entry in kept], door=door)
        alone.offsets = np.array([i for i, _ in kept], np.int64)
        assert encode(part) == encode(alone)


def test_twice_as_many_partitions_split_each_and_move_nothing_else() -> None:
    found = cells(frame(day()).posts)
    assert (found % 8 % 4 == found % 4).all()


class TestHeirs:
    """A partition that is added knows what its parent knew: nothing is counted twice."""

    @staticmethod
    def grown() -> tuple[list[Frame], list[Frame], dict[int, list[Change]]]:
        """Two halves of a day in two partitions and in four; the changes of all four after that."""
        entries = day(400)
        half = len(entries) // 2
        first = frame(entries[:half])
        second = frame(entries[half:], first=half)
        folds = {partition: cluster_fold(partition=partition) for partition in range(2)}
        told: dict[int, list[Change]] = {0: [], 1: [], 2: [], 3: []}
        for partition, part in enumerate(split(first, 2)):
            told[partition] += folds[partition].fold(part)
        for parent in range(2):
            child = cluster_fold(partition=parent + 2)
            known = heir(folds[parent].snapshot(), parent + 2)
            child.restore(unpack_state(pack_state(known)))
            folds[parent + 2] = child
        last = frame([Tick(START + 10**9)], first=len(entries) * 2)
        # The first half is sent again, as after a crash, and its posts once more under new offsets.
        resent = frame(entries[:half])
        repeated = frame(entries[:half], first=len(entries))
        for whole in (resent, second, repeated, last):
            for partition, part in enumerate(split(whole, 4)):
                told[partition] += folds[partition].fold(part)
        return split(first, 2), split(second, 4), told

    def test_every_post_is_counted_once(self) -> None:
        _, _, told = self.grown()
        outcomes = [
            (one, outcome)
            for changes in told.values()
            for change in changes
            for one, outcome in zip(change.rows.id, change.rows.outcome.tolist(), strict=True)
        ]
        folded = [one for one, outcome in outcomes if outcome == Outcome.FOLDED]
        again = [one for one, outcome in outcomes if outcome == Outcome.DUPLICATE]
        assert len(folded) == len(set(folded)) == 400
        assert len(again) == 200 and set(again) <= set(folded)
        assert sum(change.dead for changes in told.values() for change in changes) == 10 + 5

    def test_a_micro_cluster_belongs_to_one_partition(self) -> None:
        _, _, told = self.grown()
        owners: dict[str, set[int]] = {}
        for partition, changes in told.items():
            for change in changes:
                assert change.partition == partition
                for name in change.micros.id:
                    owners.setdefault(name, set()).add(partition)
        assert all(len(partitions) == 1 for partitions in owners.values())
        assert {2, 3} <= set().union(*owners.values()), "the heirs opened some"

    def test_changes_of_an_heir_are_numbered_from_one(self) -> None:
        _, _, told = self.grown()
        for changes in told.values():
            assert [change.sequence for change in changes] == list(range(1, len(changes) + 1))

    def test_an_heir_names_micro_clusters_by_their_first_post_here(self) -> None:
        _, second, told = self.grown()
        opened = {name for change in told[2] for name in change.micros.id}
        assert opened <= {
            micro_id(s, i) for s, i in zip(second[2].posts.source, second[2].posts.id, strict=True)
        }
