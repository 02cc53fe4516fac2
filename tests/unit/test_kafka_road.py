"""The pure parts of the road on Kafka: messages in and out, the order of changes, the log's noise."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from typing import Any

import msgspec
import pytest
from aiokafka.structs import ConsumerRecord

import config
from agents.kafka.alert import AlertState
from agents.kafka.documents import batches, key_of, messages, pack, unpack
from agents.kafka.embed import FRAME_BYTES, chunks, entry_of
from agents.kafka.fold import Pace
from agents.kafka.ingest import cut, headers_of
from agents.kafka.lane import Lane
from agents.kafka.noise import EVERY_S, Repeats
from agents.kafka.ticker import tick_frame
from agents.stages import alert_fold, cluster_fold
from embeddings.door import Door, build_frame
from streams.codec import CodecError, pack_state, unpack_state
from streams.documents import Batch, PostDocument, TrendDocument
from streams.records import Change, EntryKind
from streams.sources.scenario import generate
from streams.topics import LARGEST_POST, Topics
from streams.validation import InputRecord, Invalid, Tick

KEY = b"k" * 32


def message(value: bytes | None, offset: int = 0, **headers: bytes) -> Any:
    return ConsumerRecord(
        topic="t.posts", partition=1, offset=offset, timestamp=1_700_000_000_000, timestamp_type=0,
        key=None, value=value, checksum=None, serialized_key_size=0, serialized_value_size=0,
        headers=list(headers.items()),
    )  # fmt: skip


class TestMessagesOfPosts:
    @pytest.mark.parametrize(
        "record",
        [
            InputRecord(source="s", input="tệp.jsonl:3", raw=b"{}"),
            InputRecord(source="s", input="f:1", raw=b"{}", received_at=12, assumed_at=34),
            InputRecord(
                source="s", input="f:1", raw=b"x", unreadable=Invalid("bad_row", "why", "s")
            ),
        ],
    )
    def test_a_record_arrives_as_it_was_sent(self, record: InputRecord) -> None:
        headers = dict(headers_of(record, record.received_at))
        assert entry_of(message(record.raw, **headers), arrival=False) == record

    def test_a_foreign_message_is_named_after_its_place(self) -> None:
        found = entry_of(message(b"{}", offset=7), arrival=False)
        assert found == InputRecord(source="kafka", input="t.posts/1/7", raw=b"{}")

    def test_with_wall_ticks_a_message_without_header_arrived_when_it_was_written(self) -> None:
        found = entry_of(message(b"{}"), arrival=True)
        assert isinstance(found, InputRecord)
        assert found.received_at == 1_700_000_000_000

    def test_tick(self) -> None:
        assert entry_of(message(b"", tick=b"123"), arrival=True) == Tick(123)

    @pytest.mark.parametrize("tick", [b"", b"-1", b"many", b"9" * 30])
    def test_a_tick_that_is_no_time_is_a_dead_record(self, tick: bytes) -> None:
        found = entry_of(message(b"", tick=tick), arrival=False)
        assert isinstance(found, InputRecord)
        assert isinstance(Door(key=KEY).admit(found), msgspec.Struct)

    @pytest.mark.parametrize(
        "invalid", [b"{", b"[]", b'{"reason":"made_up","detail":"","source":""}']
    )
    def test_a_foreign_header_cannot_invent_reasons(self, invalid: bytes) -> None:
        found = entry_of(message(b"{}", invalid=invalid), arrival=False)
        assert isinstance(found, InputRecord)
        assert found.unreadable is None

    def test_tombstone_is_an_empty_record(self) -> None:
        found = entry_of(message(None), arrival=False)
        assert isinstance(found, InputRecord)
        assert found.raw == b""

    def test_chunks_are_bounded_in_number_and_bytes_and_lose_nothing(self) -> None:
        sizes = [10] * 5 + [FRAME_BYTES, 10, FRAME_BYTES // 2, FRAME_BYTES // 2, 1, 10]
        records = [message(b"x" * size, offset) for offset, size in enumerate(sizes)]
        found = list(chunks(records, 4))
        assert [record for chunk in found for record in chunk] == records
        for chunk in found:
            assert len(chunk) <= 4
            assert len(chunk) == 1 or sum(len(r.value) for r in chunk) <= FRAME_BYTES

    def test_a_record_that_the_topic_refuses_becomes_a_small_dead_one(self) -> None:
        small = cut(InputRecord(source="s", input="f:1", raw=b"x" * (LARGEST_POST + 1)))
        assert len(small.raw) < 10_000
        assert small.unreadable is not None
        assert small.unreadable.reason == "too_large"
        assert str(LARGEST_POST + 1) in small.unreadable.detail

    def test_tick_frame_holds_one_tick_whose_offset_is_its_time(self) -> None:
        frame = tick_frame(Door(key=KEY), 1_700_000_000_000)
        assert frame.ticks == frame.offsets.tolist() == [1_700_000_000_000]
        assert frame.kinds.tolist() == [EntryKind.TICK]


POST = PostDocument(
    source="a:b", post_id="1", version=3, rumor_id="r", micro_cluster_id="m", created_at=1,
    text="một", lang="vi", platform=None, community=None, url=None, reply_to=None, repost_of=None,
    kind="post", flags=[], reach=0,
)  # fmt: skip
TREND = TrendDocument(bucket=300_000, language="vi", platform="x", version=2, posts=4)


class TestDocuments:
    @pytest.mark.parametrize("document", [POST, TREND])
    def test_a_document_arrives_as_it_was_sent(self, document: PostDocument) -> None:
        assert unpack(pack(document)) == document

    def test_keys_tell_kind_and_identity(self) -> None:
        assert key_of(POST) == "post:3:a:b:1"
        assert [key for key, _ in messages(Batch(posts=[POST], trends=[TREND]))] == [
            b"post:3:a:b:1",
            b"trend:300000/vi/x/other",
        ]

    def test_damage_is_noticed(self) -> None:
        value = bytearray(pack(POST))
        value[-1] ^= 1
        with pytest.raises(CodecError):
            unpack(bytes(value))

    def test_of_many_versions_the_newest_is_written_whatever_their_order(self) -> None:
        older, newer = (msgspec.structs.replace(POST, version=v) for v in (1, 9))
        [batch] = batches([newer, TREND, older], 10)
        assert batch == Batch(posts=[newer], trends=[TREND])

    def test_portions(self) -> None:
        many = [msgspec.structs.replace(POST, post_id=str(n)) for n in range(7)]
        assert [len(batch.posts) for batch in batches([*many], 3)] == [3, 3, 1]


@pytest.fixture(scope="module")
def changes() -> list[Change]:
    settings = config.defaults()
    door = Door(key=KEY)
    records = [
        (n, InputRecord(source="s", input=str(n), raw=json.dumps(post).encode()))
        for n, post in enumerate(generate()[:400])
    ]
    frame = build_frame(door, records, origin="o", partition=0).frame
    return cluster_fold(settings, door).fold(frame)


def new_state() -> AlertState:
    return AlertState(alert_fold(config.defaults(), Door(key=KEY)))


class TestOrderOfChanges:
    def test_what_comes_again_is_skipped_and_what_is_missing_is_waited_for(
        self, changes: list[Change]
    ) -> None:
        undisturbed, state = new_state(), new_state()
        for change in changes:
            undisturbed.take(change)
        one, two, three, *rest = changes
        # `two` could not be delivered; its cluster agent ends and sends from its checkpoint again.
        order = [one, three, *rest[:1], one, two, three, *rest, three]
        taken = [change.sequence for change in order if state.take(change) is not None]
        assert taken == [change.sequence for change in changes]
        assert pack_state(state.snapshot()) == pack_state(undisturbed.snapshot())

    def test_state_goes_through_a_checkpoint(self, changes: list[Change]) -> None:
        state, restored = new_state(), new_state()
        for change in changes[:3]:
            state.take(change)
        restored.restore(unpack_state(pack_state(state.snapshot())))
        assert restored.taken == state.taken == {0: 3}
        assert restored.take(changes[2]) is None
        assert restored.take(changes[3]) is not None

    def test_a_log_that_begins_later_is_taken_from_there(self, changes: list[Change]) -> None:
        state = new_state()
        assert state.take(changes[2]) is not None
        assert state.take(changes[3]) is not None


class TestPace:
    def test_a_large_state_takes_three_percent_of_the_time_at_most(self) -> None:
        pace = Pace()
        for _ in range(3):
            pace.note(1.5)
        assert pace.least == pytest.approx(50.0)

    def test_one_checkpoint_that_waited_for_the_broker_puts_none_off(self) -> None:
        pace = Pace()
        for seconds in (0.03, 0.03, 25.0):
            pace.note(seconds)
        assert pace.least == pytest.approx(1.0)

    def test_a_state_that_grows_is_paced_by_what_it_costs_now(self) -> None:
        pace = Pace()
        for seconds in (0.03, 0.3, 0.6):
            pace.note(seconds)
        assert pace.least == pytest.approx(10.0)


class TestLane:
    async def test_calls_one_after_the_other_off_the_loop(self) -> None:
        lane, seen = Lane("test"), []
        await asyncio.gather(*(lane.run(seen.append, n) for n in range(50)))
        assert seen == list(range(50))
        assert await lane.run(threading.current_thread) is not threading.current_thread()

    async def test_an_error_is_the_callers(self) -> None:
        lane = Lane("test")
        with pytest.raises(ZeroDivisionError):
            await lane.run(lambda: 1 // 0)
        assert await lane.run(lambda: 1) == 1

    async def test_does_not_keep_the_process_alive(self) -> None:
        lane = Lane("test")
        thread = await lane.run(threading.current_thread)
        assert thread.daemon

    async def test_a_caller_that_gave_up_harms_nobody(self) -> None:
        lane, going = Lane("test"), threading.Event()
        waiting = asyncio.ensure_future(lane.run(going.wait))
        dropped = asyncio.ensure_future(lane.run(lambda: 1))
        await asyncio.sleep(0)
        dropped.cancel()
        going.set()
        assert await waiting
        assert await lane.run(lambda: 2) == 2


class TestNoise:
    @staticmethod
    def record(name: str, text: str) -> logging.LogRecord:
        return logging.LogRecord(name, logging.ERROR, "", 1, text, (), None)

    def test_a_library_that_repeats_itself_is_heard_once_in_a_while(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = [1000.0]
        monkeypatch.setattr("agents.kafka.noise.time.monotonic", lambda: now[0])
        repeats = Repeats()
        text = "Unable connect to node"
        heard = [repeats.filter(self.record("aiokafka.conn", text)) for _ in range(100)]
        assert sum(heard) == 1
        now[0] += EVERY_S
        record = self.record("aiokafka.conn", text)
        assert repeats.filter(record)
        assert record.getMessage() == f"{text} (99 more of these)"

    def test_our_own_words_are_never_dropped(self) -> None:
        repeats = Repeats()
        assert all(repeats.filter(self.record("agents.kafka.index", "again")) for _ in range(9))


class TestTopics:
    def test_names_and_promises(self) -> None:
        env = {"TINDON_KAFKA__PREFIX": "x.", "TINDON_KAFKA__POSTS_PARTITIONS": "7"}
        settings = config.load(env=env).settings
        topics = Topics(settings)
        assert [topic.name for topic in topics.all()] == [
            "x.posts", "x.posts.embedded", "x.posts.dead", "x.rumors.input", "x.alerts",
            "x.assignments", "x.settings", "x.checkpoints",
        ]  # fmt: skip
        assert topics.posts.partitions == 7
        assert topics.changes.partitions == 1, "one log for the one alert fold"
        for topic in (topics.alerts, topics.checkpoints):
            assert topic.settings["cleanup.policy"] == "compact"
            assert int(topic.settings["min.compaction.lag.ms"]) > 0
        # Nothing that a fold still needs may go before what it was made from.
        assert int(topics.embedded.settings["retention.ms"]) > int(
            topics.posts.settings["retention.ms"]
        )
        assert int(topics.posts.settings["max.message.bytes"]) > settings.intake.max_record_bytes
