"""A file is read in its right order, its bad records stay beside the good ones, and a useless file
is one line."""

import csv
import gzip
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.sources.files import FileError, read_files, source_of
from streams.validation import InputRecord, IntakeRules, Valid, check

RULES = IntakeRules(future_ms=None)


def post(
    post_id: str, at: object = 1_700_000_000, text: str = "tin", **fields: object
) -> dict[str, object]:
    return {"id": post_id, "text": text, "created_at": at} | fields


def write(path: Path, *records: object) -> Path:
    path.write_bytes(b"".join(json.dumps(record).encode() + b"\n" for record in records))
    return path


def read(*paths: object, **options: object) -> list[InputRecord]:
    options = {"rules": RULES} | options
    return list(read_files([str(path) for path in paths], **options))  # type: ignore[arg-type]


def ids(records: list[InputRecord]) -> list[str | None]:
    found = (check(record, RULES) for record in records)
    return [one.post.id if isinstance(one, Valid) else None for one in found]


def reasons(records: list[InputRecord]) -> list[str]:
    found = (check(record, RULES) for record in records)
    return [one.reason for one in found if not isinstance(one, Valid)]


def refused(*paths: object, **options: object) -> str:
    with pytest.raises(FileError) as caught:
        read(*paths, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_files_are_sorted_by_time_source_and_id_bytewise(tmp_path: Path) -> None:
    a = write(tmp_path / "b.jsonl", post("é", 2), post("z", 2), post("2", 1), post("10", 1))
    b = write(tmp_path / "a.x.jsonl", post("9", 1), post("1", 0))
    assert ids(read(a, b)) == ["1", "9", "10", "2", "z", "é"]
    assert ids(read(a, b, as_is=True)) == ["é", "z", "2", "10", "9", "1"]
    assert [record.input for record in read(a, b)][:2] == ["a.x.jsonl:2", "a.x.jsonl:1"]
    assert {record.source for record in read(a, b)} == {"a", "b"}


def test_dead_records_come_last_in_input_order(tmp_path: Path) -> None:
    path = tmp_path / "f.jsonl"
    path.write_bytes(b'{"id":"3"}\n' + json.dumps(post("1")).encode() + b"\nnot json\n\xff\n")
    records = read(path)
    assert ids(records) == ["1", None, None, None]
    assert [record.input for record in records] == [
        "f.jsonl:2",
        "f.jsonl:1",
        "f.jsonl:3",
        "f.jsonl:4",
    ]
    assert reasons(records) == ["no_text", "not_json", "not_utf8"]


def test_equal_keys_keep_the_input_order(tmp_path: Path) -> None:
    path = write(tmp_path / "f.jsonl", post("1", text="b"), post("1", text="a"))
    assert [json.loads(record.raw)["text"] for record in read(path)] == ["b", "a"]


def test_blank_lines_bom_and_crlf_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "f.jsonl"
    lines = [json.dumps(post(name)).encode() for name in "12"]
    path.write_bytes(b"\xef\xbb\xbf" + lines[0] + b"\r\n\r\n  \n" + lines[1])
    reading = read_files([path], rules=RULES)
    records = list(reading)
    assert ids(records) == ["1", "2"]
    assert reading.blank_lines == 2
    assert [record.input for record in records] == ["f.jsonl:1", "f.jsonl:4"]


def test_gzip_is_known_by_its_content(tmp_path: Path) -> None:
    data = json.dumps(post("1")).encode() + b"\n"
    (tmp_path / "a.jsonl").write_bytes(gzip.compress(data))
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(data) + gzip.compress(data) + b"\0" * 512)
    assert ids(read(tmp_path / "a.jsonl")) == ["1"]
    assert ids(read(tmp_path / "b.jsonl.gz")) == ["1", "1"]
    (tmp_path / "c.jsonl.gz").write_bytes(data)
    assert "not gzip" in refused(tmp_path / "c.jsonl.gz")


@pytest.mark.parametrize("spoil", ["cut", "bits"])
def test_a_damaged_gzip_gives_its_good_lines_and_one_dead_record(
    tmp_path: Path, spoil: str
) -> None:
    lines = [json.dumps(post(f"{n:05}", n, text=f"tin {n * 7919 % 104729}")) for n in range(9000)]
    data = bytearray(gzip.compress("\n".join(lines).encode()))
    if spoil == "cut":
        del data[len(data) * 3 // 4 :]
    else:
        data[len(data) * 3 // 4] ^= 0xFF
    (tmp_path / "f.jsonl.gz").write_bytes(data)
    records = read(tmp_path / "f.jsonl.gz")
    assert reasons(records)[-1] == "truncated_file"
    assert ids(records)[:2000] == [f"{n:05}" for n in range(2000)]


def test_standard_input_is_read_as_it_comes() -> None:
    data = json.dumps(post("2", 2)).encode() + b"\n" + json.dumps(post("1", 1)).encode() + b"\n"
    records = read("-", stdin=io.BytesIO(data))
    assert ids(records) == ["2", "1"]
    assert [record.input for record in records] == ["stdin:1", "stdin:2"]
    assert ids(read("-", stdin=io.BytesIO(gzip.compress(data)))) == ["2", "1"]
    assert ids(read("-", stdin=io.BytesIO(b'id,text,created_at\n5,"a, b",7\n'))) == ["5"]


def test_csv_columns_are_fields(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_bytes(
        b"\xef\xbb\xbfid,created_at,text,reach,cluster\r\n"
        b'1,2026-01-01T00:00:00Z,"hai dong\r\nva ""ngoac""",5,c1\r\n'
        b"\r\n2,1700000000,x,,\r\n"
    )
    records = read(path)
    assert ids(records) == ["2", "1"]
    assert json.loads(records[0].raw) == {"id": "2", "created_at": "1700000000", "text": "x"}
    found = check(records[1], RULES)
    assert isinstance(found, Valid)
    assert found.post.reach == 5 and found.unknown_fields == 1
    assert found.post.text.splitlines() == ["hai dong", 'va "ngoac"']
    assert [record.input for record in records] == ["f.csv:5", "f.csv:2"]


def test_a_bad_row_is_dead_and_the_others_live(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_bytes(
        b'id,text,created_at\n1,a,1\n2,b\n3,"c"x,3\n4,\xff,4\n5,e,5,6\n6,f,6\n'
        b'7,"khong dong,7\n8,h,8\n'
    )
    records = read(path)
    assert ids(records) == ["1", "6", None, None, None, None, None]
    assert reasons(records) == ["bad_row", "bad_row", "not_utf8", "bad_row", "bad_row"]
    assert [record.input for record in records[2:]] == [
        "f.csv:3",
        "f.csv:4",
        "f.csv:5",
        "f.csv:6",
        "f.csv:8",
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"name,body\n1,a\n", "lacks the columns id, text, created_at"),
        (b"id,text\n1,a\n", "lacks the columns created_at"),
        (b"id;text;created_at\n1;a;1\n", "separate the columns with commas"),
        (b"id,text,created_at,text\n1,a,1,b\n", "text twice"),
        (b'"id,text\n', "header"),
    ],
)
def test_wrong_columns_are_named(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "f.csv").write_bytes(content)
    assert said in refused(tmp_path / "f.csv", as_is=True)


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xef\xbb\xbf", gzip.compress(b"", mtime=0)])
def test_an_empty_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "f.jsonl").write_bytes(content)
    assert "empty" in refused(tmp_path / "f.jsonl")


def test_files_that_cannot_be_used_are_refused_in_one_line(tmp_path: Path) -> None:
    assert "does not exist" in refused(tmp_path / "none.jsonl")
    assert "is a folder" in refused(tmp_path)
    (tmp_path / "a.json").write_text('[\n {"id": "1"}\n]\n')
    assert "one object per line" in refused(tmp_path / "a.json")
    (tmp_path / "b.jsonl").write_bytes('{"id":"1"}\n'.encode("utf-16"))
    assert "UTF-16" in refused(tmp_path / "b.jsonl")
    (tmp_path / "c.jsonl").write_bytes(b"PK\x03\x04....")
    assert "zip" in refused(tmp_path / "c.jsonl")
    (tmp_path / "d.jsonl.gz").write_bytes(b"\x1f\x8b\x08\x00")
    assert "ends early" in refused(tmp_path / "d.jsonl.gz")
    with pytest.raises(FileError, match="no file given"):
        read()


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    a, b = write(tmp_path / "f.jsonl", post("1")), write(tmp_path / "x" / "f.csv", post("1"))
    assert "rename" in refused(a, b)
    assert "twice" in refused(a, a)


def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "f.jsonl", post("1"))
    path.chmod(0)
    try:
        path.open().close()
    except PermissionError:
        assert "permissions" in refused(path)
    else:
        pytest.skip("this user may read everything")


def test_assumed_times_are_steady_over_all_files(tmp_path: Path) -> None:
    a = write(tmp_path / "a.jsonl", post("1", None), post("2", 5), {"id": "3", "text": "x"})
    b = write(tmp_path / "b.jsonl", post("4", ""), post("5", "wrong"))
    records = read(a, b, assume_rate=4, as_is=True)
    times = [one.post.created_at for r in records if isinstance(one := check(r, RULES), Valid)]
    begin = 1_577_836_800_000
    assert times == [begin, 5000, begin + 900_000, begin + 1_800_000]
    assert reasons(records) == ["bad_time"]
    (tmp_path / "c.csv").write_text("id,text\n1,a\n")
    assert ids(read(tmp_path / "c.csv", assume_rate=1)) == ["1"]
    assert "posts per hour" in refused(a, assume_rate=0)


def test_an_oversized_line_is_dead_without_being_held(tmp_path: Path) -> None:
    rules = IntakeRules(future_ms=None, max_record_bytes=1000)
    path = tmp_path / "f.jsonl"
    good = json.dumps(post("1")).encode()
    path.write_bytes(good + b"\n" + b"x" * 3_000_000 + b"\n" + good + b"\n")
    records = read(path, rules=rules, as_is=True)
    assert [record.unreadable.reason if record.unreadable else None for record in records] == [
        None,
        "too_large",
        None,
    ]
    assert len(records[1].raw) <= 8192
    assert "3000000 bytes" in records[1].unreadable.detail  # type: ignore[union-attr]


def test_the_source_is_the_name_up_to_its_first_dot() -> None:
    assert source_of("/x/rumours_en.jsonl.gz") == "rumours_en"
    assert source_of(".hidden.jsonl") == "hidden.jsonl"
    assert source_of("-") == "stdin"


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    folder = tmp_path_factory.mktemp("any")
    for name in ("f.jsonl", "f.csv", "f.jsonl.gz", "f"):
        (folder / name).write_bytes(data)
        try:
            read(folder / name)
        except FileError as error:
            assert "\n" not in str(error)


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@given(st.lists(CELLS.filter(str.strip), min_size=1, max_size=6))
def test_a_csv_says_what_its_json_lines_say(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("same")
    posts = [post(str(number), number, text) for number, text in enumerate(texts)]
    write(folder / "f.jsonl", *posts)
    with (folder / "f.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.DictWriter(file, ["id", "text", "created_at"])
        rows.writeheader()
        rows.writerows(posts)
    lined, tabled = read(folder / "f.jsonl"), read(folder / "f.csv")
    for one, other in zip(lined, tabled, strict=True):
        a, b = check(one, RULES), check(other, RULES)
        assert isinstance(a, Valid) == isinstance(b, Valid)
        if isinstance(a, Valid) and isinstance(b, Valid) and "\r" not in a.post.text:
            assert (a.post.id, a.post.text) == (b.post.id, b.post.text)
