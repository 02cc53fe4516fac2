"""Checkpoints on disk keep the contract, and survive a write that was cut off."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.checkpoints import Checkpoint, CheckpointError
from streams.checkpoints.disk import DiskCheckpoints
from tests.contracts.checkpoints import CheckpointContract, Damage, Opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "checkpoints"


@pytest.fixture
def opened(folder: Path) -> Opened:
    async def make() -> DiskCheckpoints:
        store = DiskCheckpoints(folder)
        await store.start()
        return store

    return make


def _newest(folder: Path) -> Path:
    """The file with the highest generation; it stands behind the magic, in 8 bytes."""
    files = (path for path in folder.iterdir() if path.suffix in (".0", ".1"))
    return max(files, key=lambda path: path.read_bytes()[8:16])


@pytest.fixture
def damage(folder: Path) -> Damage:
    async def flip(fold: str, partition: int) -> None:
        path = _newest(folder)
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)

    return flip


class TestDiskCheckpoints(CheckpointContract):
    async def test_a_file_cut_off_anywhere_gives_the_earlier_one(
        self, opened: Opened, folder: Path
    ) -> None:
        store = await opened()
        await store.load("cluster", 0)
        await store.save("cluster", 0, 10, b"first")
        await store.save("cluster", 0, 20, b"second")
        path = _newest(folder)
        whole = path.read_bytes()
        for length in (0, 1, 63, 64, len(whole) - 1):
            path.write_bytes(whole[:length])
            again = await opened()
            assert await again.load("cluster", 0) == Checkpoint(10, b"first", 1), length
            assert again.damaged == 1

    async def test_every_changed_byte_is_noticed(self, opened: Opened, folder: Path) -> None:
        store = await opened()
        await store.load("cluster", 0)
        await store.save("cluster", 0, 10, b"first")
        await store.save("cluster", 0, 20, b"second")
        path = _newest(folder)
        whole = path.read_bytes()
        for at in range(len(whole)):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x80]) + whole[at + 1 :])
            again = await opened()
            assert await again.load("cluster", 0) == Checkpoint(10, b"first", 1), at

    async def test_a_write_that_failed_leaves_the_old_state(
        self, opened: Opened, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store = await opened()
        await store.load("cluster", 0)
        await store.save("cluster", 0, 10, b"first")

        def full(_: int) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr("os.fsync", full)
            with pytest.raises(CheckpointError, match=r"No space left on device\): free space"):
                await store.save("cluster", 0, 20, b"second")
        again = await opened()
        assert await again.load("cluster", 0) == Checkpoint(10, b"first", 1)
        assert again.damaged == 0
        await again.save("cluster", 0, 30, b"third")

    async def test_a_folder_that_cannot_be_made_is_one_line(self, folder: Path) -> None:
        folder.parent.joinpath("file").touch()
        store = DiskCheckpoints(folder.parent / "file" / "below")
        with pytest.raises(CheckpointError, match="cannot write to the checkpoint folder"):
            await store.start()
