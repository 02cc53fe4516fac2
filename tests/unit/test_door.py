"""Past the door there is no author and no number of a person; a frame does not depend on how a log
is cut."""

import json
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embeddings.door import Admitted, Door, build_frame
from embeddings.features import features
from embeddings.reading import Recent
from streams.codec import encode
from streams.records import Dead, EntryKind, Flag
from streams.validation import InputRecord, IntakeRules, Invalid, Tick

KEY = bytes(range(32))
DOOR = Door(key=KEY, rules=IntakeRules(future_ms=None))
PERSONAL = "Nguyen Van Tung"


def record(raw: dict[str, Any] | bytes | str, **options: Any) -> InputRecord:
    if isinstance(raw, dict):
        raw = json.dumps(raw, ensure_ascii=False)
    if isinstance(raw, str):
        raw = raw.encode()
    return InputRecord(source="nguon", input="f:1", raw=raw, **options)


def post(
    post_id: str = "1", text: str = "Đập sắp vỡ", at: int = 1_700_000_000_000, **more: Any
) -> InputRecord:
    return record({"id": post_id, "text": text, "created_at": at} | more)


def admitted(one: InputRecord, door: Door = DOOR) -> Admitted:
    result = door.admit(one)
    assert isinstance(result, Admitted), result
    return result


def test_a_post_leaves_the_door_masked_and_without_author() -> None:
    one = admitted(
        post(
            text="Đập sắp vỡ!! Gọi 0904 058 336 @ban "
            "https://facebook.com/nguyen.van.tung/posts/1?x=2 có thật không",
            author=PERSONAL,
            platform="facebook",
            community="Nhóm 0904058336",
            url="https://facebook.com/nguyen.van.tung/posts/1?id=5",
            reply_to="0",
            kind="tip",
            reach=5,
            likes=9,
        )
    )
    door_post = one.post
    assert door_post.text == (
        "Đập sắp vỡ!! Gọi [phone] [user] https://facebook.com/[user]/posts/1 có thật không"
    )
    assert door_post.community == "Nhóm [phone]"
    assert door_post.url == "https://facebook.com/[user]/posts/1"
    assert door_post.lang == "vi" and door_post.kind == 1 and door_post.reach == 5
    assert door_post.flags & Flag.ENQUIRY
    assert one.reading.cleaned == "đập sắp vỡ!! gọi có thật không"
    assert one.reading.folded == "dap sap vo!! goi co that khong"
    assert one.unknown_fields == 1
    everything = repr(one).lower()
    assert "tung" not in everything and "0904" not in everything


def test_near_copies_share_wording_and_voice_only_without_author() -> None:
    one, other = (
        admitted(post("1", "Đập sắp vỡ")).post,
        admitted(post("2", "RT: dap sap vo!!")).post,
    )
    assert one.wording == other.wording != 0
    assert one.voice == other.voice
    a, b = admitted(post("1", author="a")).post, admitted(post("2", author="b")).post
    assert a.wording == b.wording and a.voice != b.voice


def test_a_post_without_words_is_valid() -> None:
    one = admitted(post(text="😱😱😱"))
    assert one.post.wording == 0 and one.post.lang == "und" and one.post.flags == 0
    assert len(features([one.reading.folded])[1]) == 0


def test_the_stated_language_wins_where_it_is_a_code() -> None:
    assert (
        admitted(post(text="the dam is about to break and they know it", lang="vi-VN")).post.lang
        == "vi"
    )
    assert (
        admitted(post(text="the dam is about to break and they know it", lang="und")).post.lang
        == "en"
    )


def test_a_long_text_is_cut_before_a_word_and_hides_no_half_number() -> None:
    door = Door(key=KEY, rules=IntakeRules(future_ms=None), max_text=100)
    one = admitted(post(text="x " * 46 + "zalo 0904058336 nhé"), door)
    assert len(one.post.text) <= 100
    assert "090" not in one.post.text
    grouped = admitted(post(text="x " * 46 + "zalo 0904 058 336 nhé"), door)
    assert grouped.post.text.endswith("x zalo")
    assert 30 <= len(admitted(post(text="đ" * 5000), door).post.text) <= 100


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (f'{{"author":"{PERSONAL}","id":"7","text":5,"phone":"0904058336"}}', "bad_text"),
        (f'{{"author":"{PERSONAL}","id":"7","text":"goi 0904 058 336', "not_json"),
        (f'{{"author_name" : "{PERSONAL}", "text":"a@b.vn"', "not_json"),
        (f'{{"user":"{PERSONAL}', "not_json"),
        (f'{{"author":["{PERSONAL}"],"id":"7","text":"x 0904058336"}}', "no_time"),
        (
            f'{{"author":"{PERSONAL}","id":"7","text":"{"x" * 9000} 0904058336",'
            '"created_at":"no"}',
            "bad_time",
        ),
        (b'{"text":"\xff", "author":"Nguyen Van Tung", "x":"0904058336"}', "not_utf8"),
        ('[{"name":"Nguyen Van Tung"}, "0904058336"]', "not_object"),
    ],
)
def test_a_dead_letter_is_masked_and_names_no_author(raw: str | bytes, reason: str) -> None:
    dead = DOOR.admit(record(raw))
    assert isinstance(dead, Dead)
    assert dead.reason == reason
    assert dead.input == "f:1" and dead.source == "nguon"
    for private in ("Tung", "0904", "058 336", "a@b.vn"):
        assert private not in dead.raw
    assert 0 < len(dead.raw) <= 4096
    assert "\n" not in dead.detail


def test_a_record_that_its_reader_found_dead_is_a_dead_letter() -> None:
    dead = DOOR.admit(record(b"1,2,0904058336", unreadable=Invalid("bad_row", "3 cells", "khac")))
    assert dead == Dead(
        source="khac", id=None, reason="bad_row", detail="3 cells", input="f:1", raw="1,2,[phone]"
    )


@given(st.binary(max_size=80) | st.text(max_size=80).map(lambda text: text.encode()))
def test_any_bytes_pass_or_die(raw: bytes) -> None:
    result = DOOR.admit(record(raw))
    assert isinstance(result, Dead)
    encode(result)


@given(st.text(min_size=1, max_size=80).filter(str.strip))
def test_any_text_passes(text: str) -> None:
    raw = json.dumps({"id": "1", "text": text, "created_at": 5}).encode()
    if isinstance(one := DOOR.admit(record(raw)), Admitted):
        encode(one.post)


def test_the_key_is_in_no_printed_form() -> None:
    door = Door(key=b"geheim-geheim-geheim-geheim-1234")
    assert "geheim" not in repr(door) and "geheim" not in str(vars(door).get("rules"))


class LengthEncoder:
    """A tiny true encoder: two numbers that depend on the text alone."""

    dim = 2
    identity = "length/1/0"

    def encode(self, texts: list[str], /) -> np.ndarray:
        rows = np.array([[len(text) + 1.0, 1.0] for text in texts], np.float32).reshape(-1, 2)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


ENTRIES: list[tuple[int, InputRecord | Tick]] = [
    (3, post("1", "Đập sắp vỡ, chia sẻ gấp")),
    (4, record(b"{")),
    (7, Tick(55)),
    (8, post("2", "dap sap vo", author="a")),
    (9, post("3", "😱")),
    (10, Tick(66)),
    (11, record({"id": "4", "text": "x"})),
    (12, post("5", "tin giả đấy", x=1)),
]


def test_every_offset_is_in_exactly_one_entry() -> None:
    built = build_frame(DOOR, ENTRIES, origin="o", partition=2)
    frame = built.frame
    assert frame.offsets.tolist() == [3, 4, 7, 8, 9, 10, 11, 12]
    assert [EntryKind(kind) for kind in frame.kinds] == [
        EntryKind.POST,
        EntryKind.DEAD,
        EntryKind.TICK,
        EntryKind.POST,
        EntryKind.POST,
        EntryKind.TICK,
        EntryKind.DEAD,
        EntryKind.POST,
    ]
    assert frame.posts.id == ["1", "2", "3", "5"]
    assert frame.ticks == [55, 66]
    assert [(entry.id, entry.reason) for entry in frame.dead] == [
        (None, "not_json"),
        ("4", "no_time"),
    ]
    assert [letter.reason for letter in built.dead] == ["not_json", "no_time"]
    assert built.unknown_fields == 1
    assert (frame.encoder, frame.origin, frame.partition) == ("none", "o", 2)
    assert frame.posts.dense.shape == (4, 0)
    assert frame.posts.feature_ends.tolist()[-1] == len(frame.posts.features)


def test_offsets_must_ascend() -> None:
    with pytest.raises(ValueError, match="ascend"):
        build_frame(DOOR, [(2, Tick(1)), (2, Tick(1))], origin="o", partition=0)


def test_a_frame_of_nothing_is_a_frame() -> None:
    for entries in ([], [(0, Tick(1))]):
        assert len(build_frame(DOOR, entries, origin="o", partition=0).frame.posts) == 0


def rows(cuts: list[int], door: Door) -> list[tuple[Any, ...]]:
    """All posts of ENTRIES, built in batches that end at `cuts`."""
    found: list[tuple[Any, ...]] = []
    edges = [0, *cuts, len(ENTRIES)]
    for begin, end in pairwise(edges):
        frame = build_frame(door, ENTRIES[begin:end], origin="o", partition=0).frame
        posts, start = frame.posts, 0
        for row in range(len(posts)):
            stop = int(posts.feature_ends[row])
            found.append(
                (
                    posts.id[row],
                    posts.text[row],
                    posts.lang[row],
                    int(posts.voice[row]),
                    int(posts.wording[row]),
                    int(posts.flags[row]),
                    (posts.category[row], int(posts.sure[row])),
                    posts.features[start:stop].tolist(),
                    posts.feature_counts[start:stop].tolist(),
                    posts.dense[row].tobytes(),
                )
            )
            start = stop
    return found


@settings(max_examples=30)
@given(st.sets(st.integers(1, len(ENTRIES) - 1)))
def test_rows_do_not_depend_on_the_batch(cuts: set[int]) -> None:
    door = Door(key=KEY, rules=IntakeRules(future_ms=None), encoder=LengthEncoder())
    assert rows(sorted(cuts), door) == rows([], door)


def test_the_encoder_names_the_frame_and_reads_text_with_diacritics() -> None:
    seen: list[str] = []

    class Listening(LengthEncoder):
        def encode(self, texts: list[str], /) -> np.ndarray:
            seen.extend(texts)
            return super().encode(texts)

    door = Door(key=KEY, rules=IntakeRules(future_ms=None), encoder=Listening())
    frame = build_frame(
        door, [(0, post(text="ĐẬP vỡ, gọi 0904058336"))], origin="o", partition=0
    ).frame
    assert seen[-1] == "đập vỡ, gọi" and seen.count(seen[-1]) == 1
    assert frame.encoder == "length/1/0"
    assert frame.posts.dense.shape == (1, 2) and frame.posts.dense.dtype == np.float32


def test_the_same_record_twice_gives_the_same_bytes() -> None:
    one, other = (build_frame(DOOR, ENTRIES, origin="o", partition=0).frame for _ in range(2))
    assert encode(one) == encode(other)


def test_copies_and_full_caches_change_nothing() -> None:
    texts = [f"Tin {'rất ' * (n % 5)}nóng số {n % 7}" for n in range(60)]
    entries = [(n, post(str(n), text)) for n, text in enumerate(texts)]
    small = Door(key=KEY)
    small._texts, small._readings = Recent(4), Recent(4)
    at_once = encode(build_frame(small, entries, origin="o", partition=0).frame)
    again = encode(build_frame(small, entries, origin="o", partition=0).frame)
    alone = [
        encode(build_frame(Door(key=KEY), [e], origin="o", partition=0).frame) for e in entries
    ]
    assert again == at_once
    for entry, expected in zip(entries, alone, strict=True):
        assert encode(build_frame(small, [entry], origin="o", partition=0).frame) == expected
    assert len(small._texts) <= 8
    assert len(small._readings) <= 8
