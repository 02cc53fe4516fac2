"""The front of the embedded road: door and cluster fold, from what a source delivers to changes."""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec

from agents.decoding import decoded
from agents.orders import Order, embedded
from clusters import ClusterFold
from embeddings.door import Admitted, Door, frame_of
from streams.codec import pack_state, unpack_state
from streams.records import Change, Dead, DoorPost
from streams.validation import InputRecord, Invalid, Tick, Valid

POSTS = "posts"  # the log, and what frames name as their origin


class Entry(msgspec.Struct, frozen=True):
    """What a source delivers: a record as it came in, or a tick."""

    record: InputRecord | None
    tick: int | None
    checked: Valid | Invalid | None = None  # the record's, where its reader had to know


class Logged(msgspec.Struct, frozen=True, array_like=True):
    """A record of the log. A post stands there as it left the door: masked, its author a pseudonym."""

    input: str  # where it came from
    post: DoorPost | None
    dead: Dead | None
    tick: int | None


class _Origin(msgspec.Struct, frozen=True, array_like=True):
    """`Logged`, for whoever asks only where it came from: the rest is not taken apart."""

    input: str
    post: msgspec.Raw
    dead: msgspec.Raw
    tick: msgspec.Raw


class Portion(msgspec.Struct):
    """What the front made of one stretch of the log."""

    entries: int
    values: list[bytes]  # the stretch as records of the log; empty where it was read from there
    dead: list[Dead]
    changes: list[Change]
    cluster: bytes | None = None  # snapshot of the cluster fold after it, where one was asked for
    orders: list[Order] = []  # carried out before its first entry
    snapshot_s: float = 0.0  # what the snapshot took


Passed = Admitted | Dead | Tick

_encode = msgspec.msgpack.Encoder().encode
_origin = msgspec.msgpack.Decoder(_Origin)
_NONE = msgspec.msgpack.encode(None)
_logged = msgspec.msgpack.Decoder(Logged)


class Front:
    """Door and cluster fold of one process."""

    def __init__(self, door: Door, cluster: ClusterFold) -> None:
        self._door = door
        self._cluster = cluster
        self._next = 0  # offset of the log that comes next

    def restore(self, cluster: bytes, at: int) -> None:
        """Take up the cluster fold's snapshot, made before offset `at` of the log.

        Raises CodecError, WrongEncoder.
        """
        self._cluster.restore(unpack_state(cluster))
        self._next = at

    def take(
        self, entries: list[Entry], *, snapshot: bool, orders: Sequence[Order] = ()
    ) -> Portion:
        """Carry orders out, let entries in and fold them."""
        passed: list[Passed] = []
        values: list[bytes] = []
        for entry in entries:
            if entry.record is None:
                passed.append(Tick(entry.tick or 0))
                values.append(_encode(Logged("", None, None, entry.tick)))
                continue
            result = self._door.admit(entry.record, entry.checked)
            passed.append(result)
            post, dead = (None, result) if isinstance(result, Dead) else (result.post, None)
            values.append(_encode(Logged(entry.record.input, post, dead, None)))
        return self._fold(passed, values, snapshot, orders)

    def again(self, values: list[bytes]) -> Portion:
        """Fold records of the log once more. Raises CodecError."""
        return self._fold(
            [self._passed(decoded(_logged, value)) for value in values], [], snapshot=False
        )

    def obey(self, orders: Sequence[Order], *, snapshot: bool = False) -> Portion:
        """Nothing but orders."""
        return self._fold([], [], snapshot, orders)

    def snapshot(self) -> Portion:
        """Nothing but a snapshot of the cluster fold."""
        return self._fold([], [], snapshot=True)

    def _passed(self, record: Logged) -> Passed:
        if record.post is not None:
            return self._door.again(record.post)
        return record.dead if record.dead is not None else Tick(record.tick or 0)

    def _fold(
        self,
        passed: Sequence[Passed],
        values: list[bytes],
        snapshot: bool,
        orders: Sequence[Order] = (),
    ) -> Portion:
        changes = [c for one in orders for c in self._cluster.take(embedded(one, self._door))]
        numbered = list(enumerate(passed, start=self._next))
        framed = frame_of(self._door, numbered, origin=POSTS, partition=0)
        changes += self._cluster.fold(framed.frame)
        self._next += len(passed)
        portion = Portion(len(passed), values, framed.dead, changes, None, list(orders))
        if snapshot:
            started = time.monotonic()
            portion.cluster = pack_state(self._cluster.snapshot())
            portion.snapshot_s = time.monotonic() - started
        return portion


def origin_of_post(value: bytes) -> str | None:
    """Where a record of the log came from; None for a dead one and a tick. Raises CodecError."""
    found = decoded(_origin, value)
    return found.input if bytes(found.post) != _NONE else None
