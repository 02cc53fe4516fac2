"""What people decide, on its way into the embedded road.

Another process than the road's (`tindon triage`) leaves records in the inbox. The road alone says
where they stand in its order: between two portions it moves what waits into the log of decisions,
each with the offset of the log of posts before which it is folded. One transaction moves them, so a
decision is in the inbox or in the log, never in both or in neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from agents.decoding import decoded
from streams.codec import CodecError, encode
from streams.inputs import Decision, read_input
from streams.records import Change
from streams.sqlite_database import Database
from streams.sqlite_log import SqliteLog

INBOX = "inbox"
DECISIONS = "decisions"


class _Placed(msgspec.Struct, frozen=True, array_like=True):
    before: int  # offset of the log of posts
    record: bytes  # as in `rumors.input`


class Placed(NamedTuple):
    """A decision, and the offset of the log of posts before which it stands."""

    before: int
    record: Decision


_encode = msgspec.msgpack.Encoder().encode
_placed = msgspec.msgpack.Decoder(_Placed)


def leave(database: Database, records: Sequence[Decision]) -> None:
    """Put records into the inbox, in order; durable when it returns. Raises DatabaseError."""
    SqliteLog(database).append(INBOX, [encode(record) for record in records])


def admit(log: SqliteLog, before: int) -> bool:
    """Move all that waits into the log of decisions, before offset `before` of the posts."""
    waiting = log.end(INBOX) - log.start(INBOX)
    if not waiting:
        return False
    with log.database.transaction():
        found = log.read(INBOX, 0, waiting)
        log.append(DECISIONS, [_encode(_Placed(before, value)) for _, value in found])
        log.truncate_before(INBOX, found[-1][0] + 1)
    return True


def admitted(log: SqliteLog, place: int) -> Placed | None:
    """The decision at a place of the log of decisions; None at its end. Raises CodecError."""
    for _, value in log.read(DECISIONS, place, 1):
        found = decoded(_placed, value)
        record = read_input(found.record)
        if isinstance(record, Change):
            raise CodecError("a change stands where a person's decision should")
        return Placed(found.before, record)
    return None
