"""A Faust transport that delivers what one fetch brought for a partition as one message.

Stock Faust spends two tasks, a queue and a wait on every record: 5,000 records/s, whatever its
settings. Fewer and larger deliveries lift that to the client's own 200,000.

Contract
- `event.value` is a list of one or more aiokafka `ConsumerRecord`, in offset order, of one
  partition; `event.message.offset` is the last one's offset. Keys, headers, tombstones (value
  None) and timestamps stand in the records as they came; nothing is decoded. Topics are declared
  with `key_serializer="raw", value_serializer="raw"`; `stream_buffer_maxsize` counts deliveries.
- Nothing is committed but by acknowledging (`stream.noack()`, then `await stream.ack(event)`), and
  what is committed is the end of the longest acknowledged prefix of the deliveries since the last
  assignment or seek. Order of acknowledging, missing offsets (compaction, transaction markers) and
  sizes of fetches do not matter. Acknowledging a delivery from before that point changes nothing.
- Before partitions are given away and before the worker stops, the callables in `before_release`
  of the transport run, perhaps several times and while agents still work: each makes durable what
  its agent has taken in and acknowledges it. They must have nothing left to do when called again.
  An error in one ends the worker: another one takes over from the last commit.
- Agents have 3 s then to acknowledge what they work at. What they do not is released without a
  commit and delivered again, perhaps to another worker; acknowledging it late changes nothing.
- After `seek` no delivery starts before the place sought.
- Between two deliveries of a partition nothing is left out but what the log itself lacks: a fetch that
  cannot be handed over (a pause, a rebalance, a seek came between) is fetched again.
- An agent that falls behind gets its next delivery as soon as its buffer has room.

Pinned to faust-streaming 0.15.3, of which this overrides the private names `_getmany`,
`_wait_next_records`, `_to_message`, `_add_gap` and `_new_offset`, and uses `_acked`,
`_unacked_messages`, `_n_acked`, `_read_offset`, `_waiting_for_ack`, `_get_active_partitions`,
`_buffered_partitions`, `_committed_offset` and `_seek`.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, cast

from aiokafka.errors import IllegalStateError
from faust.transport.drivers import TRANSPORTS
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, AppT, ConsumerMessage, EventT
from faust.types.tuples import ack_lock
from mode.utils.futures import notify

FAUST_VERSION = "0.15.3"
SCHEME = "batched"
RELEASE_S = 3.0  # of the 5 s in which a worker stops
_ROOM_S = 1.0  # how long to wait for an agent with full buffers before looking anew
_HOOK_INTERVAL_S = 0.1  # how often `before_release` runs while deliveries are not acknowledged

_installed = importlib.metadata.version("faust-streaming")
if _installed != FAUST_VERSION:
    raise ImportError(
        f"the batching transport needs faust-streaming {FAUST_VERSION}, {_installed} is installed: "
        f"pip install faust-streaming=={FAUST_VERSION}"
    )
TRANSPORTS.aliases[SCHEME] = f"{__name__}:BatchTransport"

BeforeRelease = Callable[[], Awaitable[None]]


def consumer_url(bootstrap: str) -> str:
    """What `broker_consumer` of a Faust app is set to, for "host:port"."""
    return f"{SCHEME}://{bootstrap}"


def before_release(app: AppT, hook: BeforeRelease) -> None:
    """Have `hook` run before this app's partitions are given away and before it stops."""
    transport = app.transport
    if not isinstance(transport, BatchTransport):
        raise TypeError(f"set broker_consumer to a {SCHEME}:// address, not {transport.url}")
    transport.before_release.append(hook)


def fetched_before_seek(app: AppT, event: EventT[Any]) -> bool:
    """Whether an event of this app was fetched before its partition was last sought or given away."""
    message = cast(_BatchMessage, event.message)
    consumer = cast(BatchConsumer, app.consumer)
    return message.delivery.seeks != consumer._seeks[message.tp]


class _Delivery:
    """The records of one fetch and partition, and whether they are acknowledged."""

    __slots__ = ("acked", "last", "records", "seeks")

    def __init__(self, records: list[Any], seeks: int) -> None:
        self.records = records
        self.last: int = records[-1].offset
        self.seeks = seeks  # of the partition, when the fetch came back
        self.acked = False


class _BatchMessage(ConsumerMessage):
    """A message that knows its delivery, so that one from before a seek acknowledges nothing."""

    __slots__ = ("delivery",)

    delivery: _Delivery


class BatchConsumer(driver.Consumer):
    """The consumer behind the contract above."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Deliveries that are not committed, oldest first. Cleared when their partition is sought
        # or given away: everything after the committed offset comes again then.
        self._open: defaultdict[TP, deque[_Delivery]] = defaultdict(deque)
        self._seeks: defaultdict[TP, int] = defaultdict(int)
        # Where the next delivery begins; unknown from an assignment to the seek that follows it.
        self._place: dict[TP, int] = {}
        self._seeking = asyncio.Lock()
        self._room = asyncio.Event()  # an agent took a delivery out of a buffer that was full
        super().__init__(*args, **kwargs)

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:
        before, sought = dict(self._seeks), self._seeking.locked()
        fetched: Mapping[TP, list[Any]] = await super()._getmany(active_partitions, timeout)
        deliveries: dict[TP, list[_Delivery]] = {}
        for tp, records in fetched.items():
            if not records:
                continue
            if sought or self._seeking.locked() or self._seeks[tp] != before.get(tp, 0):
                await self._take_back(tp)  # from before or beside a seek: nobody knows which
            else:
                deliveries[tp] = [_Delivery(records, self._seeks[tp])]
        return deliveries

    def on_buffer_drop(self, tp: TP) -> None:
        super().on_buffer_drop(tp)
        self._room.set()

    async def _wait_next_records(self, timeout: float) -> Any:
        # The base class sleeps for a second when all buffers are full, so that an agent which falls behind
        # gets as many deliveries a second as its buffer holds, however soon it is done with them.
        if self.flow_active and self._buffered_partitions and not self._get_active_partitions():
            self._room.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(_ROOM_S):
                    await self._room.wait()
            return {}, set()
        return await super()._wait_next_records(timeout)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Any]]:
        # The base class drops what it may not hand over, and the client goes on behind it. A gap is
        # then a loss, since commits pass over gaps: here the client is sent back for it.
        fetched, _ = await self._wait_next_records(timeout)
        generation = self.app.consumer_generation_id
        for tp, [delivery] in (fetched or {}).items():
            current = generation == self.app.consumer_generation_id
            active = tp in self._get_active_partitions() or tp in self._buffered_partitions
            if not (self.flow_active and current and active) or delivery.seeks != self._seeks[tp]:
                await self._take_back(tp)
                continue
            self._place[tp] = delivery.last + 1
            self._open[tp].append(delivery)
            self._read_offset[tp] = None  # or the caller drops what lies before its last one
            self.app.monitor.track_tp_end_offset(tp, self.highwater(tp))
            yield tp, self._to_message(tp, delivery)

    async def _take_back(self, tp: TP) -> None:
        """A fetch was not handed over: have it fetched again.

        Only the fetching task calls this, so no other fetch is under way.
        """
        async with self._seeking:
            place = self._place.get(tp)
            if place is not None and tp in self.assignment():
                with suppress(IllegalStateError):  # given away at this moment
                    await self._seek(tp, place)

    def _to_message(self, tp: TP, record: _Delivery) -> ConsumerMessage:
        newest = record.records[-1]
        message = _BatchMessage(
            newest.topic,
            newest.partition,
            newest.offset,
            newest.timestamp / 1000.0,  # Kafka's ms, Faust's s
            newest.timestamp_type,
            [],
            None,
            cast(Any, record.records),  # by contract; the base class has bytes here
            None,
            0,
            0,
            tp,
            generation_id=self.app.consumer_generation_id,
        )
        message.delivery = record
        return message

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Offsets inside a delivery are no gaps, and real ones need no account."""

    def ack(self, message: Any) -> bool:
        with ack_lock:
            if message.acked:
                return False
            message.acked = True
            message.delivery.acked = True
            self._unacked_messages.discard(message)
            self._acked[message.tp]  # being listed there makes the next commit look at it
            self._n_acked += 1
        notify(self._waiting_for_ack)
        return True

    def _new_offset(self, tp: TP) -> int | None:
        """The offset to commit: one past the acknowledged prefix; None when there is none."""
        offset = None
        deliveries = self._open[tp]
        while deliveries and deliveries[0].acked:
            offset = deliveries.popleft().last + 1
        return offset

    async def seek(self, partition: TP, offset: int) -> None:
        async with self._seeking:
            self._forget(partition)
            await super().seek(partition, offset)
            self._place[partition] = offset
            self._forget(partition)

    async def perform_seek(self) -> None:
        async with self._seeking:
            for tp in self.assignment():
                self._forget(tp)
            await super().perform_seek()
            for tp in self.assignment():
                place = self._committed_offset.get(tp)
                with suppress(IllegalStateError):  # given away at this moment: another seek follows
                    if not place:  # the client stays where it is when nothing is committed
                        place = (await self.earliest_offsets(tp))[tp]
                        await self._seek(tp, place)
                    self._place[tp] = place
                self._forget(tp)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        # The base class forgets which partitions have something to commit before it commits for
        # the last time: do it now. What is acknowledged from here on lists its partition anew.
        await self._run_hooks()
        await self.commit()
        await super().on_partitions_revoked(revoked)
        for tp in revoked:
            self._forget(tp)
            self._place.pop(tp, None)
        for message in list(self._unacked_messages):
            if message.tp in revoked:  # else the next wait would be for what is no longer ours
                self._unacked_messages.discard(message)

    async def wait_empty(self) -> None:
        # An agent that is in the middle of a delivery has it ready for the hook only later: the
        # hooks run until all is acknowledged.
        deadline = asyncio.get_running_loop().time() + RELEASE_S
        await self._run_hooks()
        waiting = asyncio.ensure_future(super().wait_empty())
        while not (await asyncio.wait({waiting}, timeout=_HOOK_INTERVAL_S))[0]:
            await self._run_hooks()
            if asyncio.get_running_loop().time() > deadline and self._unacked_messages:
                self.log.warning("released %d deliveries unsaved", len(self._unacked_messages))
                self._unacked_messages.clear()
                notify(self._waiting_for_ack)
        await waiting

    async def _run_hooks(self) -> None:
        for hook in cast(BatchTransport, self.transport).before_release:
            try:
                await hook()
            except Exception as exc:
                self.log.exception("cannot save before partitions are released: %r", exc)
                await self.crash(exc)
                return

    def _forget(self, tp: TP) -> None:
        self._open.pop(tp, None)
        self._seeks[tp] += 1


class BatchTransport(driver.Transport):
    """Set by `broker_consumer="batched://host:port"`; see `consumer_url`."""

    Consumer = BatchConsumer

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.before_release: list[BeforeRelease] = []
