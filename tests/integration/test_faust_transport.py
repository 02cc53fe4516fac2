"""The batching Faust transport keeps its contract on a real broker."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import faust
import pytest
from faust.types import TP

from deploy.local import Kafka
from streams.faust_transport import BatchConsumer, before_release
from tests.integration.faust_log import Log, Reader, eventually, producer_on, reading

pytestmark = pytest.mark.kafka


@pytest.fixture
def log(kafka: Kafka, fresh_name: Callable[[], str], tmp_path: Path) -> Log:
    return Log(kafka.bootstrap, fresh_name(), fresh_name(), tmp_path / "faust")


async def test_one_delivery_per_fetch_and_commits_follow_acknowledgements(log: Log) -> None:
    await log.create()
    await log.write(b"a", b"b", b"c")
    async with reading(log) as reader:
        await reader.await_offsets(0, 1, 2)
        assert reader.batches() == [[0, 1, 2]], "one fetch is one delivery"
        await asyncio.sleep(1)
        assert await log.committed() is None, "nothing is committed before it is acknowledged"
        await reader.ack(0)
        await log.await_committed(3)
        await log.write(b"d")
        await reader.await_offsets(0, 1, 2, 3)
        await asyncio.sleep(1)
        assert await log.committed() == 3
    assert await log.committed() == 3, "a stop commits nothing that is not acknowledged"

    async with reading(log) as again:
        await again.await_offsets(3)
        assert again.events[0].value[0].value == b"d"


async def test_out_of_order_acknowledgements_commit_only_the_prefix(log: Log) -> None:
    await log.create()
    async with reading(log) as reader:
        for offset in range(4):
            await log.write(b"x")
            await reader.await_offsets(*range(offset + 1))
        assert reader.batches() == [[0], [1], [2], [3]]
        await reader.ack(1, 3)
        await asyncio.sleep(1)
        assert await log.committed() is None
        await reader.ack(0)
        await log.await_committed(2)
        await asyncio.sleep(1)
        assert await log.committed() == 2, "a hole of one offset must hold the commit back"
        await reader.ack(2)
        await log.await_committed(4)


async def test_transaction_markers_leave_no_hole_and_hide_none(log: Log) -> None:
    await log.create()
    async with reading(log) as reader:
        first = await log.write_in_transaction(b"a", b"b")
        await reader.await_offsets(*first)
        second = await log.write_in_transaction(b"c")
        assert second == [3], "the marker took offset 2"
        await reader.await_offsets(*first, *second)
        [third] = await log.write(b"d")
        await reader.await_offsets(*first, *second, third)
        await reader.ack(0, 2)
        await log.await_committed(2)
        await asyncio.sleep(1)
        assert await log.committed() == 2, "offset 3, beside the marker, is not acknowledged"
        await reader.ack(1)
        await log.await_committed(third + 1)


async def test_tombstones_keys_headers_and_times_get_through(log: Log) -> None:
    await log.create()
    stamp = 1_700_000_000_123
    await log.write(None, key=b"k", headers=[("reason", b"why")], timestamp_ms=stamp)
    async with reading(log) as reader:
        await reader.await_offsets(0)
        [record] = reader.events[0].value
        assert record.value is None
        assert record.key == b"k"
        assert record.headers == (("reason", b"why"),)
        assert record.timestamp == stamp
        await reader.ack(0)
        await log.await_committed(1)


async def test_empty_fetches_deliver_nothing(log: Log) -> None:
    await log.create(partitions=2)
    async with reading(log) as reader:
        await log.write(b"only here", partition=1)
        await reader.await_offsets(0)
        await asyncio.sleep(3)  # two fetches come back empty meanwhile
        assert reader.batches() == [[0]]
        await reader.ack(0)
        await log.await_committed(1, partition=1)
        assert await log.committed(partition=0) is None


async def test_seek_back_delivers_again_and_old_deliveries_acknowledge_nothing(log: Log) -> None:
    await log.create()
    async with reading(log) as reader:
        await log.write(*[b"x"] * 4)
        await reader.await_offsets(0, 1, 2, 3)
        old, tp = list(reader.events), TP(log.topic, 0)
        reader.events.clear()
        await reader.app.consumer.seek(tp, 2)
        await reader.await_offsets(2, 3)
        for event in old:
            await reader.stream.ack(event)
        await asyncio.sleep(1)
        assert await log.committed() is None, "what was sought anew is not acknowledged"
        await reader.ack_all()
        await log.await_committed(4)

        reader.events.clear()
        await reader.app.consumer.seek(tp, 6)
        await log.write(*[b"y"] * 4)
        await reader.await_offsets(6, 7)
        await reader.ack_all()
        await log.await_committed(8)


async def test_a_slow_agent_holds_the_fetching_back_and_loses_nothing(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    sleep = BatchConsumer.sleep

    async def noted(consumer: BatchConsumer, seconds: float) -> None:
        slept.append(seconds)
        await sleep(consumer, seconds)

    await log.create()
    most, records = 10, 400  # records of a fetch, and in all
    await log.write(*[b"x" * 1000] * records)
    gate = asyncio.Event()
    async with reading(
        log, gate=gate, broker_max_poll_records=most, stream_buffer_maxsize=2
    ) as reader:
        await reader.await_offsets(*range(most))
        monkeypatch.setattr(BatchConsumer, "sleep", noted)
        place = TP(log.topic, 0)
        await asyncio.sleep(2)
        held = await reader.app.consumer.position(place)
        # One delivery with the agent, two in its queue, one for the queue, one fetched.
        assert held <= 6 * most, f"{held} of {records} records were taken in"
        assert await reader.app.consumer.position(place) == held
        gate.set()
        await reader.await_offsets(*range(records))
        assert 1.0 not in slept, (
            "Faust's second of sleep would hold up an agent that has room again"
        )
        assert [o for batch in reader.batches() for o in batch] == list(range(records))
        await reader.ack_all()
        await log.await_committed(records)


async def test_a_paused_partition_delivers_nothing_and_goes_on_where_it_was(log: Log) -> None:
    await log.create(partitions=2)
    async with reading(log) as reader:
        await log.write(b"a", partition=0)
        await reader.await_offsets(0)
        consumer, place = reader.app.consumer, TP(log.topic, 0)
        consumer.pause_partitions({place})
        await log.write(b"b", b"c", partition=0)
        await log.write(b"other", partition=1)
        await eventually(lambda: asyncio.sleep(0, len(reader.events)), 2)
        await asyncio.sleep(1)
        assert [e.message.partition for e in reader.events] == [0, 1], "only the other one goes on"
        consumer.resume_partitions({place})
        await reader.await_offsets(0, 1, 2)
        await reader.ack_all()
        await log.await_committed(3)


@pytest.mark.parametrize("what", ["pause", "stop", "seek"])
async def test_a_fetch_that_comes_back_too_late_to_be_handed_over_is_fetched_again(
    log: Log, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """A pause, a rebalance's stop of all work, or its seek falls between a fetch and its delivery."""
    await log.create()
    fetch, met = BatchConsumer._wait_next_records, []

    async def meet(self: BatchConsumer, timeout: float) -> Any:
        found = await fetch(self, timeout)
        if found[0] and len(met) < 3:
            met.append(what)
            place, later = TP(log.topic, 0), asyncio.get_running_loop().call_later
            if what == "pause":
                self.pause_partitions({place})
                later(0.3, self.resume_partitions, {place})
            elif what == "stop":
                self.stop_flow()
                later(0.3, self.resume_flow)
            else:
                await self.perform_seek()  # nothing is committed: the client stays where it is
        return found

    monkeypatch.setattr(BatchConsumer, "_wait_next_records", meet)
    async with reading(log) as reader:
        for number in range(5):
            await log.write(b"x", b"y")
            await reader.await_offsets(*range(2 * number + 2))
        assert len(met) == 3
        taken = [offset for batch in reader.batches() for offset in batch]
        first = [offset for at, offset in enumerate(taken) if offset not in taken[:at]]
        assert first == list(range(10)), "no record comes before one that lies in front of it"
        await reader.ack_all()
        await log.await_committed(10)


async def test_records_that_compaction_removed_hold_no_commit_back(log: Log) -> None:
    eager = {"cleanup.policy": "compact", "segment.ms": "1000", "min.cleanable.dirty.ratio": "0.01",
             "max.compaction.lag.ms": "1000"}  # fmt: skip
    await log.create(config=eager)
    for _ in range(5):
        await log.write(b"x", b"y", key=b"same")
    async with asyncio.timeout(120), reading(log) as reader:
        end = 10
        while True:  # until the broker, which looks every second, has left holes
            await asyncio.sleep(1.1)  # a segment's age
            [end] = [offset + 1 for offset in await log.write(b"z", key=b"%d" % end)]
            await reader.app.consumer.seek(TP(log.topic, 0), 0)
            await eventually(
                lambda e=end: asyncio.sleep(0, reader.since_seek()[-1:] == [e - 1]), True
            )
            if len(reader.since_seek()) < end - 5:
                break
        await reader.ack_all()
        await log.await_committed(end)


async def test_hook_saves_and_acknowledges_before_a_stop(log: Log) -> None:
    await log.create()
    await log.write(b"a", b"b")
    saved: list[int] = []
    async with reading(log) as reader:

        async def save() -> None:
            for event in reader.events:
                saved.append(event.message.offset)
                await reader.stream.ack(event)
            reader.events.clear()

        before_release(reader.app, save)
        await reader.await_offsets(0, 1)
        await asyncio.sleep(1)
        assert await log.committed() is None
        await asyncio.wait_for(reader.app.stop(), 30)
        assert saved == [1]
    assert await log.committed() == 2


async def test_a_failing_hook_ends_the_worker_and_commits_nothing(log: Log) -> None:
    await log.create()
    await log.write(b"a")
    async with reading(log) as reader:

        async def fail() -> None:
            raise OSError("the checkpoint store is full")

        before_release(reader.app, fail)
        await reader.await_offsets(0)
        await asyncio.wait_for(reader.app.stop(), 30)
        assert isinstance(reader.app.consumer.crash_reason, OSError)
    assert await log.committed() is None


async def test_a_stop_does_not_wait_for_what_is_never_acknowledged(log: Log) -> None:
    await log.create()
    await log.write(b"a")
    async with reading(log) as reader:
        await reader.await_offsets(0)
        began = asyncio.get_running_loop().time()
        await reader.app.stop()
        assert asyncio.get_running_loop().time() - began < 5
        await reader.ack(0)
    assert await log.committed() is None


async def test_before_release_refuses_an_app_on_the_stock_transport(log: Log) -> None:
    app = faust.App(log.group, broker="kafka://127.0.0.1:1", set_as_current=False)

    async def hook() -> None: ...

    with pytest.raises(TypeError, match="set broker_consumer to a batched:// address"):
        before_release(app, hook)


async def test_a_second_worker_joining_in_mid_stream_loses_and_skips_nothing(log: Log) -> None:
    """Each worker saves what it took in, then acknowledges, as a fold does."""
    partitions, per_partition = 4, 300
    await log.create(partitions)
    saved: list[tuple[int, int]] = []

    def saver(reader: Reader) -> Callable[[], Any]:
        async def save() -> None:
            taken, reader.events[:] = list(reader.events), []
            await asyncio.sleep(0.01)
            for event in taken:
                if event.message.generation_id == reader.app.consumer_generation_id:
                    saved.extend((r.partition, r.offset) for r in event.value)
                await reader.stream.ack(event)

        before_release(reader.app, save)
        return save

    async def write() -> None:
        async with producer_on(log.bootstrap) as producer:
            for _ in range(per_partition):
                for partition in range(partitions):
                    await producer.send(log.topic, b"x" * 100, partition=partition)
                await asyncio.sleep(0.02)

    async def keep_saving(save: Callable[[], Any]) -> None:
        while True:
            await asyncio.sleep(5)  # longer than a rebalance waits: only the hooks save in time
            await save()

    wanted = {(p, o) for p in range(partitions) for o in range(per_partition)}
    async with asyncio.timeout(120), asyncio.TaskGroup() as tasks, reading(log) as first:
        background = [tasks.create_task(keep_saving(saver(first)))]
        writing = tasks.create_task(write())
        await eventually(lambda: asyncio.sleep(0, len(saved) > 50), True)
        async with reading(log) as second:
            background.append(tasks.create_task(keep_saving(saver(second))))
            await eventually(lambda: asyncio.sleep(0, len(second.partitions)), 2)
            assert first.partitions | second.partitions == set(range(partitions))
            assert not first.partitions & second.partitions
            await asyncio.sleep(1)
            background[1].cancel()
        await eventually(lambda: asyncio.sleep(0, len(first.partitions)), partitions)
        await writing
        await eventually(lambda: asyncio.sleep(0, set(saved) == wanted), True)
        background[0].cancel()
    for partition in range(partitions):
        await log.await_committed(per_partition, partition)
    again = len(saved) - len(set(saved))
    assert again == 0, f"{again} records were delivered again although each worker saved in time"


def test_another_faust_version_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.version", lambda _: "0.16.0")
    monkeypatch.delitem(sys.modules, "streams.faust_transport")
    with pytest.raises(ImportError, match=r"needs faust-streaming 0\.15\.3, 0\.16\.0 is installed"):
        __import__("streams.faust_transport")
