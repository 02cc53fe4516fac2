"""What every checkpoint store promises; each store's tests inherit this suite.

Fixtures to give: `opened`, which makes a started store on the same place each time it is called,
as another process would, and `damage`, which spoils the checkpoint with the highest generation.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable

import pytest

from streams.checkpoints import Checkpoint, CheckpointDamaged, CheckpointStore, Fenced

Opened = Callable[[], Awaitable[CheckpointStore]]
Damage = Callable[[str, int], Awaitable[None]]


class CheckpointContract:
    async def test_what_never_was_is_none(self, opened: Opened) -> None:
        store = await opened()
        assert await store.load("cluster", 0) is None
        assert store.damaged == 0

    async def test_the_newest_wins_also_for_another_process(self, opened: Opened) -> None:
        store = await opened()
        await store.load("cluster", 0)
        for offset in (10, 20, 30):
            await store.save("cluster", 0, offset, b"state %d" % offset)
        assert await store.load("cluster", 0) == Checkpoint(30, b"state 30", 3)
        await store.save("cluster", 0, 40, b"state 40")
        await store.stop()
        again = await opened()
        assert await again.load("cluster", 0) == Checkpoint(40, b"state 40", 4)
        assert again.damaged == 0

    async def test_folds_and_partitions_do_not_mix(self, opened: Opened) -> None:
        store = await opened()
        for fold, partition in (("cluster", 0), ("cluster", 1), ("alert", 0)):
            await store.load(fold, partition)
            await store.save(fold, partition, partition, f"{fold} {partition}".encode())
        other = await opened()
        assert (await other.load("cluster", 1)) == Checkpoint(1, b"cluster 1", 1)
        assert (await other.load("alert", 0)) == Checkpoint(0, b"alert 0", 1)
        assert await other.load("alert", 1) is None

    async def test_an_empty_state_is_a_state(self, opened: Opened) -> None:
        store = await opened()
        await store.load("alert", 0)
        await store.save("alert", 0, 7, b"")
        assert await store.load("alert", 0) == Checkpoint(7, b"", 1)

    async def test_twenty_megabytes_and_smaller_again(self, opened: Opened) -> None:
        store = await opened()
        await store.load("cluster", 0)
        large = os.urandom(20_000_000)
        for offset, blob in enumerate((large, large[::-1], b"small")):
            await store.save("cluster", 0, offset, blob)
            assert await store.load("cluster", 0) == Checkpoint(offset, blob, offset + 1)

    async def test_a_damaged_checkpoint_falls_back_and_is_counted(
        self, opened: Opened, damage: Damage
    ) -> None:
        store = await opened()
        await store.load("cluster", 0)
        await store.save("cluster", 0, 10, b"first")
        await store.save("cluster", 0, 20, b"second")
        await damage("cluster", 0)
        again = await opened()
        assert await again.load("cluster", 0) == Checkpoint(10, b"first", 1)
        assert again.damaged == 1

        # The next save replaces the damaged one, not the only whole one.
        await again.save("cluster", 0, 15, b"third")
        await damage("cluster", 0)
        last = await opened()
        assert await last.load("cluster", 0) == Checkpoint(10, b"first", 1)

    async def test_without_a_whole_one_it_is_an_error(self, opened: Opened, damage: Damage) -> None:
        store = await opened()
        await store.load("cluster", 0)
        await store.save("cluster", 0, 10, b"only")
        await damage("cluster", 0)
        again = await opened()
        with pytest.raises(CheckpointDamaged, match="no whole checkpoint of fold cluster"):
            await again.load("cluster", 0)

    async def test_an_owner_that_was_followed_cannot_save(self, opened: Opened) -> None:
        first, second = await opened(), await opened()
        await first.load("cluster", 0)
        await first.save("cluster", 0, 10, b"of the first")
        assert (await second.load("cluster", 0)) == Checkpoint(10, b"of the first", 1)
        await second.save("cluster", 0, 20, b"of the second")
        for _ in range(2):
            with pytest.raises(Fenced, match="fold cluster, partition 0"):
                await first.save("cluster", 0, 15, b"of a ghost")
        await second.save("cluster", 0, 30, b"of the second again")
        third = await opened()
        assert await third.load("cluster", 0) == Checkpoint(30, b"of the second again", 3)

        # A fenced owner may come back: by loading.
        assert (await first.load("cluster", 0)) == Checkpoint(30, b"of the second again", 3)
        await first.save("cluster", 0, 40, b"of the first again")
        with pytest.raises(Fenced):
            await second.save("cluster", 0, 35, b"of a ghost")

    async def test_saving_before_loading_is_refused(self, opened: Opened) -> None:
        store = await opened()
        with pytest.raises(Fenced, match="load it before saving"):
            await store.save("cluster", 0, 1, b"x")

    @pytest.mark.parametrize(("fold", "partition"), [("../x", 0), ("", 0), ("cluster", -1)])
    async def test_names_that_are_no_place_are_refused(
        self, opened: Opened, fold: str, partition: int
    ) -> None:
        store = await opened()
        with pytest.raises(ValueError, match="no place for a checkpoint"):
            await store.load(fold, partition)
