"""What our own intake hands on before the door: records without personal data.

The topic `posts` is kept for a day, and a log that others read is no place for names and numbers. The
door masks again whatever it gets, so sealed and foreign records may share the topic.
"""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from typing import Any

import msgspec

from embeddings.door import dead_letter
from embeddings.mask import mask, mask_url
from embeddings.pseudonym import voice
from streams.validation import InputRecord, Invalid, Valid

_json = msgspec.json.Encoder().encode


def seal(record: InputRecord, checked: Valid | Invalid, *, key: bytes) -> InputRecord:
    """The record with known fields only: text, community and link masked, the author a pseudonym.

    `checked` is what `streams.validation.check` says of the record. The door reads the same post from
    the sealed record as from the given one; what is no post keeps its reason and its masked remains.
    """
    if isinstance(checked, Invalid):
        remains = dead_letter(record, checked).raw.encode("utf-8", "replace")
        return msgspec.structs.replace(record, raw=remains, unreadable=checked)
    post = checked.post
    text = post.text if post.text.isascii() else unicodedata.normalize("NFC", post.text)
    fields: dict[str, Any] = {
        "source": post.source,
        "id": post.id,
        "text": mask(text),
        "created_at": _iso(post.created_at) if record.assumed_at is None else None,
        "lang": post.lang,
        "platform": post.platform,
        "community": mask(post.community) if post.community else None,
        "url": mask_url(post.url) if post.url else None,
        "reply_to": post.reply_to,
        "repost_of": post.repost_of,
        "reach": post.reach,
        "kind": post.kind,
    }
    if post.author:
        fields["author"] = f"{voice(key, post.platform, post.source, post.author):016x}"
    given = {name: value for name, value in fields.items() if value is not None}
    return msgspec.structs.replace(record, raw=_json(given))


def _iso(ms: int) -> str:
    moment = datetime.fromtimestamp(ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}+00:00"
