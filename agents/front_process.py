"""The front in a process of its own, so that a large replay uses two cores.

The child reads, lets in and clusters; the parent raises alerts and owns log, store and checkpoints.
What the child sends depends on the input alone, so one process and two leave the same bytes. The
parent asks for a snapshot of the cluster fold when a checkpoint is due; it comes with a later
portion, and the checkpoint covers exactly what came until then.
"""

from __future__ import annotations

import os
import pickle
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from typing import Any

from agents.feeding import Feed, Feeding
from agents.front import Portion
from agents.front_child import FrontChild
from agents.memory import (
    GIVEN_BACK,
    collect_rarely,
    give_back,
    give_back_large,
    peak_rss_bytes,
)
from agents.orders import Order
from agents.packed import pack, unpack
from agents.plan import FrontPlan, cluster_of, door_of, encoder_named
from streams.codec import decode, encode

AHEAD = 8
"""Portions that wait for the parent, at most: bounds the memory between the two."""

_PORTION, _TOTAL, _PEAK, _ERROR = b"P", b"T", b"M", b"E"
_SNAPSHOT = b"S"  # the next message is the snapshot of the portion after it, as it is: tens of MB


class FrontEnded(Exception):
    """The child ended before its work was done; one line with the mend."""

    exit_code = 1


class FrontProcess:
    """A child at work on a feed, with a front of its own.

    What the child raises is raised here, where its next message is waited for.
    """

    def __init__(self, child: FrontChild, plan: FrontPlan, feed: Feed) -> None:
        self._connection = child.connection
        self._process = child.process
        self.peak_rss_bytes = 0  # of the child; known at the end of its portions
        self._tell((plan, feed))

    def total(self) -> int | None:
        """How many records there are, once the files are read; None while they arrive unsorted.

        Raises FileError.
        """
        total: int | None = pickle.loads(self._message(_TOTAL))
        return total

    def portions(
        self, *, skip: int, cluster: bytes | None, at: int, snapshot: Callable[[], bool],
        orders: Callable[[], list[Order]],
    ) -> Iterator[Portion]:  # fmt: skip
        """As those of `Feeding`. Raises FrontEnded, and what reading raises."""
        self._tell((skip, cluster, at))
        asked = False
        while True:
            kind, message = self._next()
            cluster = None
            if kind == _SNAPSHOT:
                cluster, asked = self._received(), False
                kind, message = self._next()
            assert kind == _PORTION
            portion = unpack(message)
            portion.cluster = cluster
            del cluster, message
            if not portion.entries:
                self.peak_rss_bytes = pickle.loads(self._message(_PEAK))
                yield portion
                return
            yield portion
            if not asked and snapshot():
                asked = True
                self._tell(True)
            for order in orders():
                self._tell(encode(order))

    def _tell(self, value: object) -> None:
        with suppress(
            ConnectionError
        ):  # an ended child is found out by the message that is missing
            self._connection.send(value)

    def _message(self, kind: bytes) -> memoryview:
        found, message = self._next()
        assert found == kind
        return message

    def _next(self) -> tuple[bytes, memoryview]:
        """Kind and content of the next message; raises what the child raised."""
        message = self._received()
        kind, content = message[:1], memoryview(message)[1:]
        if kind == _ERROR:
            raise pickle.loads(content)
        return kind, content

    def _received(self) -> bytes:
        try:
            return self._connection.recv_bytes()
        except (EOFError, OSError):  # an OSError too where it ended in the middle of a message
            self._process.join()
            raise FrontEnded(
                f"the process that reads and clusters ended early ({self._how()}): call again the "
                "same way and the replay goes on"
            ) from None

    def _how(self) -> str:
        code = self._process.exitcode or 0
        return f"signal {-code}" if code < 0 else f"exit code {code}"


def work(connection: Connection) -> None:
    """The child: reads when it is told what, folds when it is told where to begin."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    collect_rarely()
    give_back_large()
    try:
        plan, feed = _received(connection)
        door = door_of(plan, encoder_named(plan.encoder))
        feeding = Feeding(feed, door, cluster_of(plan.cluster, door))
        connection.send_bytes(_TOTAL + pickle.dumps(feeding.total()))
        skip, cluster, at = _received(connection)
        sending = _Sending(connection)
        asked = _Asked(connection)
        portions = feeding.portions(
            skip=skip, cluster=cluster, at=at, snapshot=asked.snapshot, orders=asked.orders
        )
        for number, portion in enumerate(portions):
            if portion.cluster is not None:
                sending.put(_SNAPSHOT)
                sending.put(portion.cluster)
                portion.cluster = None
            sending.put(_PORTION + pack(portion))
            if number % GIVEN_BACK == 0:
                give_back()
        sending.put(_PEAK + pickle.dumps(peak_rss_bytes()))
        sending.end()
        while True:  # until the parent lets go: what it still asks for must find an open end
            _received(connection)
    except (EOFError, ConnectionError):
        pass  # the parent has gone or wants no more
    except Exception as error:
        connection.send_bytes(_ERROR + pickle.dumps(error))


def _received(connection: Connection) -> Any:
    """The parent's next message. Raises EOFError, also where it ended in the middle of one."""
    try:
        return connection.recv()
    except OSError:
        raise EOFError from None


class _Asked:
    """What the parent asked for since the last portion. Raises EOFError."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._snapshot = False
        self._orders: list[Order] = []

    def orders(self) -> list[Order]:
        self._listen()
        given, self._orders = self._orders, []
        return given

    def snapshot(self) -> bool:
        self._listen()
        asked, self._snapshot = self._snapshot, False
        return asked

    def _listen(self) -> None:
        while self._connection.poll():
            told = _received(self._connection)
            if isinstance(told, bytes):
                self._orders.append(decode(told, Order))
            else:
                self._snapshot = True


def _end_with_parent() -> None:
    """A parent that was killed leaves no child behind that waits for its pace or for room."""
    parent = parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


class _Sending:
    """Messages on their way while the next portion is made. Raises ConnectionError in `put`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._queue: queue.Queue[bytes | None] = queue.Queue(AHEAD)
        self._failed: OSError | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def put(self, message: bytes) -> None:
        if self._failed is not None:
            raise ConnectionError from self._failed
        self._queue.put(message)

    def end(self) -> None:
        """All is sent when it returns."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (message := self._queue.get()) is not None:
            if self._failed is None:
                try:
                    self._connection.send_bytes(message)
                except OSError as error:
                    self._failed = error
