"""From an input record to a valid post, or to the reason why it is none. Pure: the same bytes, the
same answer.

A record is dead only when it cannot be used: what it is, who it is from and when must be sure.
Small damage is mended instead, because a post that spreads matters more than its form: half an
emoji becomes U+FFFD, a control character a space, an unknown field is left out and counted.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any, cast

import msgspec

from streams.records import KINDS, Kind, Post
from streams.timestamps import TimestampError, parse_time

REASONS: dict[str, str] = {
    "not_utf8": "The record is not UTF-8 text.",
    "not_json": "The line is not JSON: cut, damaged or nested too deeply.",
    "not_object": "The line is JSON, but not an object with fields.",
    "too_large": "The record is larger than the limit for one post.",
    "bad_row": "The CSV row has more or fewer cells than the header, or quotes that do not close.",
    "truncated_file": "The compressed file ends early or is damaged from here on.",
    "no_id": "The post has no id.",
    "bad_id": "The id is not a string of 1 to 256 printable characters.",
    "bad_source": "The source is not a string of 1 to 128 printable characters.",
    "no_text": "The post has no text, or nothing but white space.",
    "bad_text": "The text is not a string.",
    "no_time": "The post has no created_at, and its source is not set to arrival time.",
    "bad_time": "created_at is not ISO 8601 with offset, nor seconds or milliseconds since 1970.",
    "future": "created_at lies further ahead of the arrival than clocks differ.",
    "bad_field": "An optional field has a type or value that cannot be used.",
}

MAX_ID = 256  # characters
MAX_SOURCE = 128
MAX_URL = 4096
MAX_REACH = 2**53 - 1  # the largest count that JSON carries exactly
REQUIRED = ("id", "text", "created_at")
FIELDS = frozenset(
    [
        "id",
        "text",
        "created_at",
        "lang",
        "author",
        "platform",
        "community",
        "url",
        "reply_to",
        "repost_of",
        "reach",
        "kind",
        "source",
    ]
)


class IntakeRules(msgspec.Struct, frozen=True, kw_only=True):
    """What the door accepts."""

    max_record_bytes: int = 1 << 20  # Kafka's own default limit of a message
    future_ms: int | None = 600_000  # None: no check (replay)
    arrival_time_sources: frozenset[str] = (
        frozenset()
    )  # a post of theirs without time takes that of its arrival


class InputRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One record as a source delivered it, before the door. `raw` holds one JSON object if all is
    well."""

    source: str  # the post's own `source` field wins over it
    input: str  # "file name:line" or "topic/partition/offset"
    raw: bytes
    received_at: int | None = (
        None  # ms, stamped at intake; None in a replay: the post's own time stands for it
    )
    assumed_at: int | None = None  # ms, the time of a post without one (`--assume-rate`)
    unreadable: Invalid | None = None  # set by a reader that already knows that the record is dead


class Tick(msgspec.Struct, frozen=True):
    """A record that lets time pass."""

    at: int  # ms


class Invalid(msgspec.Struct, frozen=True):
    """Why a record is no post."""

    reason: str  # a word of REASONS
    detail: str  # one line for a person: what is wrong and the mend; repeats no content of the post
    source: str
    id: str | None = None  # where it could still be read


class Valid(msgspec.Struct, frozen=True):
    """A post, and how many of its record's fields were left out as unknown."""

    post: Post
    unknown_fields: int


class _Dead(Exception):
    def __init__(self, reason: str, detail: str) -> None:
        self.reason, self.detail = reason, detail


def validate(
    raw: bytes | dict[str, Any],
    *,
    source: str,
    received_at: int | None,
    rules: IntakeRules,
    assumed_at: int | None = None,
) -> Valid | Invalid:
    """Check one record. Never raises on its content.

    `source` is the default for a post that names none. `received_at` None (replay) switches the
    check for future times off and stands for created_at. `assumed_at` is the time of a post that
    has none.
    """
    fields: dict[str, Any] = {}
    try:
        fields = _fields(raw, rules)
        post = _post(fields, source, received_at, assumed_at, rules)
    except _Dead as dead:
        return Invalid(dead.reason, dead.detail, *_names(fields, source))
    unknown = len(fields) - sum(name in FIELDS for name in fields)
    return Valid(post, unknown)


def check(record: InputRecord, rules: IntakeRules) -> Valid | Invalid:
    """`validate` for a record of a source."""
    if record.unreadable is not None:
        return record.unreadable
    return validate(
        record.raw,
        source=record.source,
        received_at=record.received_at,
        rules=rules,
        assumed_at=record.assumed_at,
    )


def parse(raw: bytes) -> Any:
    """The JSON value in `raw`; half emojis (lone surrogates) are kept as such. Raises ValueError,
    RecursionError."""
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        if b"\\u" not in raw and b"\\U" not in raw:
            raise
    return json.loads(raw, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _fields(raw: bytes | dict[str, Any], rules: IntakeRules) -> dict[str, Any]:
    if isinstance(raw, dict):
        return raw
    if len(raw) > rules.max_record_bytes:
        raise _Dead(
            "too_large",
            f"{len(raw)} bytes, at most {rules.max_record_bytes}: send no attachments",
        )
    try:
        value = parse(raw)
    except (ValueError, RecursionError) as error:
        try:
            raw.decode("utf-8")
        except UnicodeDecodeError as bad:
            raise _Dead(
                "not_utf8", f"byte {bad.start} is not UTF-8: save the data as UTF-8"
            ) from None
        what = "nested too deeply" if isinstance(error, RecursionError) else _one_line(error)
        raise _Dead("not_json", f"not JSON ({what}): write one object per line") from None
    if not isinstance(value, dict):
        raise _Dead(
            "not_object",
            f"a JSON {_json_name(value)} instead of an object: write one object per line",
        )
    return value


def _post(
    fields: dict[str, Any],
    source: str,
    received_at: int | None,
    assumed_at: int | None,
    rules: IntakeRules,
) -> Post:
    get = fields.get
    post_id = _id(get("id"))
    own = get("source")
    if own is not None and own != "":
        source = _source(own)
    text = _text(get("text"))
    created = get("created_at")
    if created is None or created == "" or (isinstance(created, str) and not created.strip()):
        if assumed_at is not None:
            at = assumed_at
        elif received_at is not None and source in rules.arrival_time_sources:
            at = received_at
        else:
            raise _Dead(
                "no_time",
                "created_at is missing: give it, or set the source to arrival time",
            )
    else:
        try:
            at = parse_time(created)
        except TimestampError as error:
            raise _Dead("bad_time", str(error)) from None
    if (
        rules.future_ms is not None
        and received_at is not None
        and at > received_at + rules.future_ms
    ):
        ahead = (at - received_at) // 1000
        raise _Dead(
            "future",
            f"created_at is {ahead} s after the arrival: check the clock",
        )
    kind = get("kind")
    if kind is None or kind == "":
        kind = "post"
    elif kind not in KINDS:
        raise _Dead("bad_field", f"kind is none of {', '.join(KINDS)}")
    author = get("author")
    if type(author) is int:  # numeric user ids are common, and only ever hashed
        author = str(author)
    # Most posts leave most of these out: no call for what is not there.
    return Post(
        source=source,
        id=post_id,
        text=text,
        created_at=at,
        received_at=at if received_at is None else received_at,
        lang=None if (v := get("lang")) is None else _optional(v, "lang", 64),
        author=None if author is None else _optional(author, "author", 1024),
        platform=None if (v := get("platform")) is None else _optional(v, "platform", 256),
        community=None if (v := get("community")) is None else _optional(v, "community", 1024),
        url=None if (v := get("url")) is None else _optional(v, "url", MAX_URL),
        reply_to=None if (v := get("reply_to")) is None else _optional(v, "reply_to", MAX_ID),
        repost_of=None if (v := get("repost_of")) is None else _optional(v, "repost_of", MAX_ID),
        reach=0 if (v := get("reach")) is None else _reach(v),
        kind=cast(Kind, kind),
    )


def _id(value: object) -> str:
    if value is None or (isinstance(value, str) and not value.strip()):
        raise _Dead("no_id", "id is missing: give each post an id that is unique in its source")
    if not isinstance(value, str):
        raise _Dead("bad_id", f"id is a {_json_name(value)}: write it as a string, in quotes")
    if len(value) > MAX_ID:
        raise _Dead("bad_id", f"id has {len(value)} characters, at most {MAX_ID}")
    if not _printable(value):
        raise _Dead("bad_id", "id holds a control character or half a surrogate pair")
    return value


def _source(value: object) -> str:
    if not isinstance(value, str):
        raise _Dead("bad_source", f"source is a {_json_name(value)}: write it as a string")
    if len(value) > MAX_SOURCE or not value.strip() or not _printable(value):
        raise _Dead("bad_source", f"source must have 1 to {MAX_SOURCE} printable characters")
    return value


def _printable(value: str) -> bool:
    return value.isprintable() or not _UNPRINTABLE.search(value)


_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def _text(value: object) -> str:
    if value is None:
        raise _Dead("no_text", "text is missing")
    if not isinstance(value, str):
        raise _Dead("bad_text", f"text is a {_json_name(value)}: write it as a string")
    value = _mended(value)
    if not value or value.isspace():
        raise _Dead("no_text", "text is empty")
    return value


def _mended(value: str) -> str:
    """Without control characters and lone surrogates; line ends and tabs stay."""
    if value.isprintable():  # the common case, and a fast one
        return value
    return _SURROGATE.sub("\ufffd", _CONTROL.sub(" ", value))


def _optional(value: object, name: str, limit: int) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise _Dead(
            "bad_field", f"{name} is a {_json_name(value)}: write it as a string or leave it out"
        )
    if len(value) > limit:
        raise _Dead("bad_field", f"{name} has {len(value)} characters, at most {limit}")
    return _mended(value)


def _reach(value: object) -> int:
    if value is None or value == "":
        return 0
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value) if len(value) <= 16 else MAX_REACH + 1
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is not int or not 0 <= value <= MAX_REACH:
        raise _Dead("bad_field", "reach must be a whole number, 0 or more")
    return value


def _names(fields: dict[str, Any], source: str) -> tuple[str, str | None]:
    """Source and id of a dead record, as far as they can be used."""
    with suppress(_Dead, KeyError):
        source = _source(fields["source"])
    try:
        return source, _id(fields.get("id"))
    except _Dead:
        return source, None


def _json_name(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    names: dict[type, str] = {str: "string", list: "list", dict: "object"}
    return names.get(type(value), type(value).__name__)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
