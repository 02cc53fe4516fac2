"""Orders to the cluster fold: what people decided and the alert fold cannot do alone.

In the embedded road the front runs ahead of the alert fold. An order reaches it at one of its portions;
the portion says so, and the log keeps the place: before which entry, and after how many decisions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from agents.decoding import decoded
from embeddings.door import Admitted, Door, frame_of
from streams.codec import decode, encode
from streams.effects import Moved
from streams.inputs import Decision, EmbeddedInput, Parting, SettingsChange
from streams.sqlite_log import SqliteLog

ORDERS = "orders"
"""The log of those that the front has carried out."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """Either settings, or posts that leave their micro-clusters."""

    id: str  # of what people decided
    settings: SettingsChange | None = None
    moved: list[Moved] = []


class PlacedOrder(msgspec.Struct, frozen=True, array_like=True):
    before: int  # offset of the log of posts
    decided: int  # decisions folded before it
    order: bytes


def order_of(record: Decision, moved: Sequence[Moved]) -> Order | None:
    """What a decision asks of the cluster fold; `moved`: what the alert fold said of it."""
    if isinstance(record, SettingsChange):
        return Order(id=record.id, settings=record)
    crossed = [one for one in moved if one.micro != one.leaves]
    return Order(id=record.id, moved=crossed) if crossed else None


def embedded(order: Order, door: Door) -> EmbeddedInput:
    """The order as `posts.embedded` carries it."""
    if order.settings is not None:
        return order.settings
    admitted: list[tuple[int, Admitted]] = [
        (at, door.again(one.post)) for at, one in enumerate(order.moved)
    ]
    return Parting(
        id=order.id,
        encoder=door.identity,
        posts=frame_of(door, admitted, origin=ORDERS, partition=0).frame.posts,
        leaves=[one.leaves for one in order.moved],
        enters=[one.micro for one in order.moved],
    )


_encode = msgspec.msgpack.Encoder().encode
_placed = msgspec.msgpack.Decoder(PlacedOrder)


class Orders:
    """The orders of one road: those in its log, and those that no portion has brought back yet."""

    def __init__(self, log: SqliteLog) -> None:
        self._log = log
        self._obeyed = 0  # place of the log's order that is folded next
        self.waiting: dict[str, Order] = {}  # by id
        self._handed: set[str] = set()  # of them, those that the front has by now

    def give(self, order: Order | None) -> None:
        if order is not None:
            self.waiting[order.id] = order

    def hand_out(self) -> list[Order]:
        """What the front has to carry out and does not know of yet."""
        fresh = [one for one in self.waiting.values() if one.id not in self._handed]
        self._handed |= {one.id for one in fresh}
        return fresh

    def keep(self, orders: Sequence[Order], *, before: int, decided: int) -> None:
        """Note in the log where the front carried orders out."""
        values = [_encode(PlacedOrder(before, decided, encode(one))) for one in orders]
        self._log.append(ORDERS, values)

    def next(self) -> tuple[PlacedOrder, Order] | None:
        """The log's order that is folded next; None at its end. Raises CodecError."""
        for _, value in self._log.read(ORDERS, self._obeyed, 1):
            found = decoded(_placed, value)
            return found, decode(found.order, Order)
        return None

    def done(self, orders: Sequence[Order]) -> None:
        """Orders of the log were folded."""
        for order in orders:
            self.waiting.pop(order.id, None)
            self._handed.discard(order.id)
            self._obeyed += 1

    def state(self) -> dict[str, Any]:
        return {"obeyed": self._obeyed, "waiting": [encode(o) for o in self.waiting.values()]}

    def restore(self, state: dict[str, Any]) -> None:
        self._obeyed = state["obeyed"]
        self.waiting = {o.id: o for o in (decode(value, Order) for value in state["waiting"])}
