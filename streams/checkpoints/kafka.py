"""Checkpoints in a compacted Kafka topic, where any worker finds them.

Partition 0 of the topic holds the manifests, keyed fold/partition/slot; the others (0 as well if
there is no other) hold the states in chunks, keyed fold/partition/slot/number. A checkpoint is one
transaction, its manifest last: readers see all of it or nothing. Compaction keeps both slots. The
transactional id belongs to the fold and partition, so that the broker itself refuses an owner
that another one has followed.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    InvalidProducerEpoch,
    InvalidProducerIdMapping,
    KafkaError,
    ProducerFenced,
)

from streams.checkpoints.base import (
    SLOTS,
    Checkpoint,
    CheckpointDamaged,
    CheckpointError,
    Claim,
    check_place,
    digest,
    not_claimed,
    taken_over,
)
from streams.checkpoints.manifest import UNREADABLE, Manifest, parse
from streams.checkpoints.reading import read_at, read_committed

# What the topic is created with. Chunks of dead checkpoints go when a segment is rolled and
# compacted: 20 MB every few seconds fill one of 128 MiB within a minute.
TOPIC_CONFIG: Mapping[str, str] = {
    "cleanup.policy": "compact",
    "segment.bytes": str(128 << 20),
    "segment.ms": str(3_600_000),
    "min.cleanable.dirty.ratio": "0.3",
    "delete.retention.ms": str(3_600_000),
}

CHUNK_BYTES = 900_000  # below message.max.bytes, 1,048,588 by default, with room for key and header
SAVE_TIMEOUT_S = 60.0  # 20 MB take 0.2 s; the rest is for a broker that restarts
LOAD_TIMEOUT_S = 120.0
_TRANSACTION_TIMEOUT_MS = 60_000  # after that the broker gives up a dead owner's save
_ABORT_TIMEOUT_S = 5.0
_NEW_TOPIC_LOOKS = 10  # every 0.2 s: brokers hear of a new topic a little after its maker
_FENCED = (ProducerFenced, InvalidProducerEpoch, InvalidProducerIdMapping)


@dataclass
class _Owned(Claim):
    """A claim with the producer that holds it."""

    producer: Any = None
    # Chunks that stand in each slot: those that a smaller checkpoint leaves over are removed.
    chunks: list[int] = field(default_factory=lambda: [0] * SLOTS)
    saving: asyncio.Lock = field(default_factory=asyncio.Lock)


class KafkaCheckpoints:
    """CheckpointStore in one topic of a broker."""

    def __init__(
        self, bootstrap: str, topic: str, client_options: Mapping[str, Any] | None = None
    ) -> None:
        """`client_options` go to every aiokafka client: security_protocol, ssl_context, ..."""
        self.bootstrap = bootstrap
        self.topic = topic
        self.damaged = 0
        self._options = {**(client_options or {}), "bootstrap_servers": bootstrap}
        self._partitions = 0
        self._owned: dict[tuple[str, int], _Owned] = {}

    async def start(self) -> None:
        admin = AIOKafkaAdminClient(**self._options)
        async with self._connected(admin, admin.close):
            for _ in range(_NEW_TOPIC_LOOKS):
                [described] = await admin.describe_topics([self.topic])
                self._partitions = len(described["partitions"])
                if self._partitions:
                    break
                await asyncio.sleep(0.2)
        if not self._partitions:
            raise CheckpointError(
                f"topic {self.topic} is missing on {self.bootstrap}: create it (tindon apply)"
            )

    async def stop(self) -> None:
        for key in list(self._owned):
            await self._release(key)

    async def save(self, fold: str, partition: int, offset: int, blob: bytes) -> None:
        owned = self._owned.get((fold, partition))
        if owned is None or owned.lost:
            raise not_claimed(fold, partition)
        async with owned.saving:
            try:
                async with asyncio.timeout(SAVE_TIMEOUT_S):
                    await self._save(owned, fold, partition, offset, blob)
            except _FENCED as exc:
                owned.lost = True
                raise taken_over(fold, partition) from exc
            except (KafkaError, TimeoutError) as exc:
                await self._abort(owned)
                raise self._error("save", fold, partition, exc) from exc
            except BaseException:
                await self._abort(owned)
                raise
            owned.saved()

    async def load(self, fold: str, partition: int) -> Checkpoint | None:
        check_place(fold, partition)
        if not self._partitions:
            await self.start()
        try:
            async with asyncio.timeout(LOAD_TIMEOUT_S):
                return await self._load(fold, partition)
        except (KafkaError, TimeoutError) as exc:
            raise self._error("load", fold, partition, exc) from exc

    async def _save(
        self, owned: _Owned, fold: str, partition: int, offset: int, blob: bytes
    ) -> None:
        producer, slot, generation = owned.producer, owned.slot, owned.generation + 1
        place = f"{fold}/{partition}/{slot}"
        target = self._chunk_partition(fold, partition)
        await producer.begin_transaction()
        pieces = [blob[at : at + CHUNK_BYTES] for at in range(0, len(blob), CHUNK_BYTES)]
        sent = []
        for number, piece in enumerate(pieces):
            sent.append(
                await producer.send(self.topic, piece, f"{place}/{number}".encode(), target)
            )
            sent[-1].add_done_callback(_heard)
        chunks = [metadata.offset for metadata in await asyncio.gather(*sent)]
        if any(at < 0 for at in chunks):  # the broker took it twice and does not tell where
            raise KafkaError("a resent chunk came back without its offset")
        for number in range(len(pieces), owned.chunks[slot]):
            removed = await producer.send(self.topic, None, f"{place}/{number}".encode(), target)
            removed.add_done_callback(_heard)
        check = digest(generation, offset, blob).hex()
        manifest = Manifest(generation, offset, len(blob), check, target, chunks)
        packed = manifest.packed()
        (await producer.send(self.topic, packed, place.encode(), 0)).add_done_callback(_heard)
        await producer.commit_transaction()
        owned.chunks[slot] = len(pieces)

    async def _load(self, fold: str, partition: int) -> Checkpoint | None:
        owned = await self._claim(fold, partition)
        manifests = await self._manifests(fold, partition)
        owned.generation = max((one.generation for one in manifests.values()), default=0)
        damaged = sum(one == UNREADABLE for one in manifests.values())
        whole = None
        for slot, manifest in sorted(manifests.items(), key=lambda one: -one[1].generation):
            owned.chunks[slot] = len(manifest.chunks)
            if whole is None and manifest != UNREADABLE:
                whole = await self._checkpoint(manifest)
                if whole is None:
                    damaged += 1
                else:
                    owned.slot = 1 - slot
        self.damaged += damaged
        if damaged and whole is None:
            raise CheckpointDamaged(
                f"no whole checkpoint of fold {fold}, partition {partition} in {self.topic}: "
                "delete that topic's records to fold from the log's beginning"
            )
        return whole

    async def _claim(self, fold: str, partition: int) -> _Owned:
        """Fence every earlier owner, on this worker and on others."""
        await self._release((fold, partition))
        producer = AIOKafkaProducer(
            transactional_id=f"{self.topic}/{fold}/{partition}",
            transaction_timeout_ms=_TRANSACTION_TIMEOUT_MS,
            max_batch_size=CHUNK_BYTES,
            max_request_size=CHUNK_BYTES + 65_536,
            **self._options,
        )
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        owned = self._owned[fold, partition] = _Owned(slot=0, generation=0, producer=producer)
        return owned

    async def _release(self, key: tuple[str, int]) -> None:
        owned = self._owned.pop(key, None)
        if owned is None:
            return
        try:
            async with asyncio.timeout(_ABORT_TIMEOUT_S):
                await owned.producer.stop()
        except (KafkaError, TimeoutError):
            pass  # a fenced or cut-off producer has nothing left to say

    async def _abort(self, owned: _Owned) -> None:
        """Undo what a failed save has sent; give the claim up when that fails as well."""
        try:
            async with asyncio.timeout(_ABORT_TIMEOUT_S):
                await owned.producer.abort_transaction()
        except (KafkaError, TimeoutError, AssertionError):  # asserts its own state
            owned.lost = True

    async def _manifests(self, fold: str, partition: int) -> dict[int, Manifest]:
        """Slot -> newest committed manifest."""
        wanted = {f"{fold}/{partition}/{slot}".encode(): slot for slot in range(SLOTS)}
        found: dict[int, Manifest] = {}
        place = TopicPartition(self.topic, 0)
        async with self._consumer() as latest, self._consumer("read_committed") as consumer:
            # Up to the last record, not to the last decided one: another fold's open transaction
            # may stand before a manifest of ours.
            end = (await latest.end_offsets([place]))[place]
            async for record in read_committed(consumer, place, end):
                slot = wanted.get(record.key)
                if slot is None:
                    continue
                if record.value is None:
                    found.pop(slot, None)
                else:
                    found[slot] = parse(record.value)
        return found

    async def _checkpoint(self, manifest: Manifest) -> Checkpoint | None:
        """The checkpoint that a manifest describes, or None when it is not there in whole."""
        place = TopicPartition(self.topic, manifest.partition)
        pieces: list[bytes] = []
        if manifest.chunks:
            async with self._consumer() as consumer:
                pieces = await read_at(consumer, place, manifest.chunks)
        blob = b"".join(pieces)
        check = digest(manifest.generation, manifest.offset, blob).hex()
        if len(blob) != manifest.size or check != manifest.digest:
            return None
        return Checkpoint(manifest.offset, blob, manifest.generation)

    def _chunk_partition(self, fold: str, partition: int) -> int:
        """Spreads the states over the partitions behind the first."""
        if self._partitions == 1:
            return 0
        return 1 + zlib.crc32(f"{fold}/{partition}".encode()) % (self._partitions - 1)

    @asynccontextmanager
    async def _consumer(self, isolation: str = "read_uncommitted") -> AsyncIterator[Any]:
        consumer = AIOKafkaConsumer(
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            isolation_level=isolation,
            max_partition_fetch_bytes=16 << 20,
            fetch_max_bytes=64 << 20,
            **self._options,
        )
        async with self._connected(consumer, consumer.stop):
            yield consumer

    @asynccontextmanager
    async def _connected(
        self, client: Any, close: Callable[[], Awaitable[None]]
    ) -> AsyncIterator[None]:
        try:
            await client.start()
            yield
        except KafkaError as exc:
            raise CheckpointError(
                f"Kafka at {self.bootstrap} does not answer ({exc}): see that it runs and the "
                "address is right"
            ) from exc
        finally:
            await close()

    def _error(self, verb: str, fold: str, partition: int, exc: Exception) -> CheckpointError:
        reason = str(exc) or type(exc).__name__
        return CheckpointError(
            f"cannot {verb} the checkpoint of fold {fold}, partition {partition} in {self.topic} "
            f"({reason}): see that Kafka at {self.bootstrap} runs"
        )


def _heard(sent: asyncio.Future[Any]) -> None:
    """A message that failed with its transaction is told once: by the commit, or by whoever waits first."""
    if not sent.cancelled():
        sent.exception()
