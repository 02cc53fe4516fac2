"""Voices: authors as keyed hashes, so that distinct ones can be counted and nobody can be looked
up."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path

KEY_BYTES = 32
_VOICE_BYTES = 8


class KeyFileError(ValueError):
    """The key file cannot be used; one line with the mend."""


def voice(key: bytes, platform: str | None, source: str, author: str) -> int:
    """64-bit keyed hash of (platform or source, author). Without the key an author cannot be
    tested for."""
    return _keyed(key, b"tindon.voice", platform or source, author.strip())


def anonymous_voice(key: bytes, wording: int, text: str) -> int:
    """The voice of a post without author: one for each wording; a text without words stands for
    itself."""
    return _keyed(key, b"tindon.wording", f"{wording:016x}" if wording else text)


def _keyed(key: bytes, person: bytes, *parts: str) -> int:
    pieces = [part.encode("utf-8", "surrogatepass") for part in parts]
    joined = b"".join(len(piece).to_bytes(4, "little") + piece for piece in pieces)
    digest = hashlib.blake2b(joined, digest_size=_VOICE_BYTES, key=key, person=person).digest()
    return int.from_bytes(digest, "little")


def load_or_create_key(path: Path) -> bytes:
    """The key in a file of 64 hex digits, readable by its owner only; written with a new random key
    if missing.

    All workers of an installation must share the file: another key makes every author a new voice.
    Raises KeyFileError when the file is damaged or cannot be read or written.
    """
    try:
        return _parse(path, path.read_text("ascii"))
    except FileNotFoundError:
        pass
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileError(
            f"the voice key {path} cannot be read ({_why(error)}): check its permissions"
        ) from None
    key = secrets.token_bytes(KEY_BYTES)
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(key.hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # fails if another worker was first: its key is then the key
        except FileExistsError:
            return _parse(path, path.read_text("ascii"))
        finally:
            draft.unlink()
    except OSError as error:
        raise KeyFileError(
            f"the voice key {path} cannot be written ({_why(error)}): choose another place"
        ) from None
    return key


def _parse(path: Path, text: str) -> bytes:
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise KeyFileError(
            f"the voice key {path} is damaged, it should hold {2 * KEY_BYTES} hex digits: "
            "restore it, or delete it and every author counts as new"
        )
    return key


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__
