"""Authors become numbers that only the key's owner can make, and the key stays where it is."""

import stat
from pathlib import Path

import pytest

from embeddings.pseudonym import KeyFileError, anonymous_voice, load_or_create_key, voice

KEY = bytes(range(32))


def test_a_voice_is_the_author_on_a_platform() -> None:
    assert voice(KEY, "facebook", "s1", "ten") == voice(KEY, "facebook", "s2", " ten ")
    assert voice(KEY, "facebook", "s1", "ten") != voice(KEY, "x", "s1", "ten")
    assert voice(KEY, None, "s1", "ten") != voice(KEY, None, "s2", "ten")
    assert voice(KEY, None, "ab", "c") != voice(KEY, None, "a", "bc")
    assert 0 <= voice(KEY, None, "s", "\ud800") < 2**64


def test_another_key_gives_other_voices() -> None:
    assert voice(KEY, None, "s", "ten") != voice(KEY[::-1], None, "s", "ten")


def test_without_author_a_wording_is_a_voice() -> None:
    assert (
        anonymous_voice(KEY, 7, "a") == anonymous_voice(KEY, 7, "b") != anonymous_voice(KEY, 8, "a")
    )
    assert anonymous_voice(KEY, 0, "😱") != anonymous_voice(KEY, 0, "🔥")


def test_a_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "voice.key"
    key = load_or_create_key(path)
    assert len(key) == 32
    assert load_or_create_key(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("content", [b"", b"xyz", b"00" * 31, b"\xff\xfe"])
def test_a_damaged_key_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "voice.key"
    path.write_bytes(content)
    with pytest.raises(KeyFileError) as caught:
        load_or_create_key(path)
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == content


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(KeyFileError, match="voice key"):
        load_or_create_key(tmp_path / "file" / "voice.key")
    with pytest.raises(KeyFileError, match="cannot be read"):
        load_or_create_key(tmp_path)
