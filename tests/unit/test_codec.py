"""What is written comes back, byte for byte; damage is named and never read as something else."""

import hashlib
import tracemalloc

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from streams import codec
from streams.codec import (
    STATE_DIGEST_BYTES,
    STATE_MAGIC,
    STATE_VERSION,
    CodecError,
    decode,
    encode,
    pack_state,
    state_pieces,
    unpack_state,
)
from streams.records import (
    Change,
    ChangeRows,
    DeadEntry,
    Frame,
    MicroDelta,
    PostColumns,
)


def frame(n: int = 3, d: int = 4) -> Frame:
    rng = np.random.default_rng(7)
    names = [f"p{i}" for i in range(n)]
    nothing: list[str | None] = [None] * n
    posts = PostColumns(
        source=["s"] * n,
        id=names,
        text=["Đập sắp vỡ 😱"] * n,
        lang=["vi"] * n,
        platform=nothing,
        community=nothing,
        url=nothing,
        reply_to=nothing,
        repost_of=nothing,
        category=["disaster"] * n,
        sure=np.full(n, 80, np.uint8),
        created_at=np.arange(n, dtype=np.int64),
        voice=rng.integers(0, 2**64, n, np.uint64),
        wording=rng.integers(0, 2**64, n, np.uint64),
        flags=np.zeros(n, np.uint32),
        kind=np.zeros(n, np.uint8),
        reach=np.zeros(n, np.int64),
        feature_ends=np.arange(1, n + 1, dtype=np.int64),
        features=rng.integers(0, 2**32, n, np.uint32),
        feature_counts=np.ones(n, np.uint8),
        dense=rng.standard_normal((n, d)).astype(np.float32),
    )
    return Frame(
        encoder="none",
        origin="o",
        partition=0,
        offsets=np.arange(n + 2, dtype=np.int64),
        kinds=np.array([0] * n + [1, 2], np.uint8),
        posts=posts,
        dead=[DeadEntry("s", None, "no_id")],
        ticks=[5],
    )


def change() -> Change:
    def ints(*values: int) -> np.ndarray:
        return np.array(values, np.int32)

    micros = MicroDelta(
        id=["m1"],
        dense=np.zeros((1, 4), np.int32),
        feature_ends=np.array([2]),
        features=np.array([3, 9], np.uint32),
        feature_sums=ints(64, 64),
        feature_posts=ints(1, 1),
        vectors=ints(1),
    )
    rows = ChangeRows(
        source=["s"],
        id=["p"],
        duplicate_of=[None],
        text=["x"],
        lang=["vi"],
        platform=[None],
        community=[None],
        url=[None],
        reply_to=[None],
        repost_of=[None],
        category=["disaster"],
        sure=np.array([80], np.uint8),
        outcome=np.zeros(1, np.uint8),
        micro=ints(0),
        created_at=np.zeros(1, np.int64),
        voice=np.array([2**64 - 1], np.uint64),
        wording=np.array([1], np.uint64),
        flags=np.zeros(1, np.uint32),
        kind=np.zeros(1, np.uint8),
        reach=np.zeros(1, np.int64),
    )
    return Change(
        partition=0,
        sequence=1,
        watermark=9,
        encoder="none",
        dead=0,
        micros=micros,
        rows=rows,
        aged=["m0"],
    )


@pytest.mark.parametrize("n", [0, 1, 3, 200])
def test_a_frame_comes_back_as_it_was(n: int) -> None:
    before = frame(n)
    message = encode(before)
    after = decode(message, Frame)
    assert encode(after) == message
    assert after.posts.dense.dtype == np.float32 and after.posts.dense.shape == (n, 4)
    assert (after.posts.voice == before.posts.voice).all()
    assert after.dead == before.dead and after.posts.text == before.posts.text


def test_a_change_comes_back_as_it_was() -> None:
    message = encode(change())
    after = decode(message, Change)
    assert encode(after) == message
    assert after.rows.voice[0] == 2**64 - 1


def test_decoded_arrays_cannot_be_written_to_and_are_aligned() -> None:
    posts = decode(encode(frame()), Frame).posts
    for array in (posts.dense, posts.voice, posts.features):
        assert array.flags.aligned
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_an_array_of_any_layout_is_written_by_its_values() -> None:
    odd = frame()
    straight = encode(odd)
    odd.posts.dense = np.asfortranarray(odd.posts.dense)
    odd.posts.voice = odd.posts.voice.astype(">u8")
    odd.offsets = np.repeat(odd.offsets, 2)[::2]
    assert encode(odd) == straight


@given(st.data())
def test_a_damaged_message_is_refused(data: st.DataObject) -> None:
    message = bytearray(encode(frame()))
    at = data.draw(st.integers(0, len(message) - 1))
    message[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(CodecError) as caught:
        decode(bytes(message), Frame)
    assert "\n" not in str(caught.value)


@given(st.binary(max_size=200))
def test_foreign_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(CodecError):
        decode(data, Frame)
    with pytest.raises(CodecError):
        unpack_state(data)


def test_a_cut_message_is_refused() -> None:
    message = encode(frame())
    for size in range(0, len(message), 97):
        with pytest.raises(CodecError):
            decode(message[:size], Frame)


def test_another_kind_of_record_is_refused() -> None:
    with pytest.raises(CodecError, match="does not fit"):
        decode(encode(change()), Frame)


def test_a_newer_version_is_named() -> None:
    message = b"\x63" + encode(frame())[1:]
    with pytest.raises(CodecError, match="version 99"):
        decode(message, Frame)


NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.booleans() | st.none()
ARRAYS = arrays.arrays(
    st.sampled_from([np.int64, np.int32, np.uint8, np.uint64, np.float32, np.bool_]),
    arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)
STATES = st.dictionaries(
    st.text(max_size=8) | st.integers(-5, 2**63),
    st.recursive(
        NUMBERS | st.text(max_size=8) | st.binary(max_size=8) | ARRAYS,
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
        ),
        max_leaves=12,
    ),
    max_size=6,
)


def same(a: object, b: object) -> bool:
    if isinstance(a, np.ndarray):
        assert isinstance(b, np.ndarray)
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, dict):
        assert isinstance(b, dict)
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list):
        assert isinstance(b, list)
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return type(a) is type(b) and a == b


@settings(max_examples=150)
@given(STATES)
def test_a_state_comes_back_in_its_order(state: dict) -> None:
    data = pack_state(state)
    back = unpack_state(data)
    assert same(state, back)
    assert pack_state(back) == data


def large_state() -> dict:
    rng = np.random.default_rng(3)
    return {
        "table": {"sums": rng.integers(-9, 9, (700, 768)).astype(np.int16), "next": 7},
        "by row": rng.random((300, 400))[:, ::2],  # not as it lies there
        "flags": np.ones(70_000, np.bool_),
        "posts": [
            [n, f"p{n}", msgspec.Raw(msgspec.msgpack.encode([n] * 3))] for n in range(70_000)
        ],
        "some": {f"n{n}": {"at": [n]} for n in range(40)},
        "none": [],
    }


def test_a_large_state_has_the_bytes_of_one_that_is_packed_at_once() -> None:
    state = large_state()
    at_once = STATE_MAGIC + bytes([STATE_VERSION]) + codec._encoder.encode(state)
    digest = hashlib.blake2b(at_once, digest_size=STATE_DIGEST_BYTES).digest()
    assert pack_state(state) == b"".join(state_pieces(state)) == at_once + digest


def test_to_pack_a_large_state_takes_a_small_part_of_its_memory() -> None:
    state = large_state()
    state["table"]["sums"] = np.ones((7_000, 768), np.int16)
    tracemalloc.start()
    try:
        size = sum(memoryview(piece).nbytes for piece in state_pieces(state))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert size > 12_000_000 and peak < size / 10


@given(STATES, st.data())
def test_a_damaged_state_is_refused(state: dict, data: st.DataObject) -> None:
    packed = bytearray(pack_state(state))
    packed[data.draw(st.integers(0, len(packed) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(CodecError):
        unpack_state(bytes(packed))


@pytest.mark.parametrize(
    "state", [{"a": 2**70}, {"a": {1, 2}}, {"a": np.array(["x"])}, {"a": object()}, {"a": "\ud800"}]
)
def test_a_value_that_cannot_be_written_is_refused(state: dict) -> None:
    with pytest.raises(CodecError):
        pack_state(state)
