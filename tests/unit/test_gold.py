"""Labelled files are read as promised, and a wrong one is told in one line with the mend.

All posts are invented.
"""

import gzip
import json

import numpy as np
import pytest

from evaluation.errors import EvaluationError
from evaluation.gold import epoch_seconds, load_gold, plain_wording


def row(number, cluster="a", **more):
    return {
        "id": f"p{number}",
        "text": f"Cầu Mây sập lúc {number} giờ",
        "created_at": "2024-05-01T08:00:00+07:00",
        "lang": "vi",
        "author": None,
        "cluster": cluster,
        "label": None,
        **more,
    }


def write(path, rows):
    text = "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


def one_line(error):
    message = str(error.value)
    assert "\n" not in message
    return message


def test_rows_are_keyed_by_file_stem_and_id(tmp_path):
    path = write(tmp_path / "bridge.day1.jsonl.gz", [row(1), row(2, "b"), row(3, None)])
    gold = load_gold([path])
    assert list(zip(gold.source, gold.post_id, strict=True)) == [
        ("bridge", "p1"), ("bridge", "p2"), ("bridge", "p3"),
    ]  # fmt: skip
    assert gold.stories == ("a", "b")
    assert gold.story.tolist() == [0, 1, -1]
    assert gold.labelled.tolist() == [True, True, False]
    assert gold.time[0] == 1714525200.0
    assert gold.language == ["vi", "vi", "vi"]
    assert gold.line.tolist() == [1, 2, 3]


def test_a_rows_own_source_goes_before_the_file_stem(tmp_path):
    path = write(tmp_path / "bridge.jsonl", [row(1, source="forum"), row(2, "b")])
    assert load_gold([path]).source == ["forum", "bridge"]


def test_the_same_label_in_two_files_is_one_story(tmp_path):
    first = write(tmp_path / "one.jsonl", [row(1, "a"), row(2, "b")])
    second = write(tmp_path / "two.jsonl", [row(1, "b")])
    gold = load_gold([first, second])
    assert gold.story.tolist() == [0, 1, 1]
    assert gold.file.tolist() == [0, 0, 1]


def test_an_id_that_comes_again_is_left_out_and_counted(tmp_path):
    first = [row(1, "a"), row(1, "b"), row(2, "b"), row(2, "b"), row(2, "b"), row(3, source="two")]
    second = write(tmp_path / "two.jsonl", [row(3, "b"), row(1, "b")])
    gold = load_gold([write(tmp_path / "one.jsonl", first), second])
    found = list(zip(gold.source, gold.post_id, gold.line.tolist(), strict=True))
    assert found == [("one", "p1", 1), ("one", "p2", 3), ("two", "p3", 6), ("two", "p1", 2)]
    assert gold.story.tolist() == [0, 1, 0, 1]
    assert (gold.repeated, gold.relabelled) == (3, 2)
    assert [one.posts for one in gold.files] == [6, 2]


def test_columns_that_nobody_reads_are_named(tmp_path):
    rows = [row(1, likes=2), row(2, "b", platform="forum", likes=3, place=None)]
    gold = load_gold([write(tmp_path / "x.jsonl", rows)])
    assert gold.files[0].unknown_columns == ("likes", "place")
    path = tmp_path / "x.csv"
    path.write_text("id, text,cluster,likes\n1,Mất điện,a,4\n\n2,Thật không?,b\n", encoding="utf-8")
    gold = load_gold([path])
    assert gold.text == ["Mất điện", "Thật không?"]
    assert gold.files[0].unknown_columns == ("likes",)


def test_csv_is_read_like_json_lines(tmp_path):
    path = tmp_path / "bridge.csv"
    path.write_text(
        'id,text,created_at,cluster\n1,"Mất điện, cả tuần",1714525200,a\n2,Thật không?,,\n'
        "3,Có ai biết,1714525200000,b\n",
        encoding="utf-8",
    )
    gold = load_gold([path])
    assert gold.text[0] == "Mất điện, cả tuần"
    assert gold.story.tolist() == [0, -1, 1]
    assert np.array_equal(gold.time, [1714525200.0, np.nan, 1714525200.0], equal_nan=True)


def test_unreadable_lines_are_counted_and_the_rest_is_used(tmp_path):
    path = tmp_path / "bridge.jsonl"
    good = [json.dumps(row(1)), json.dumps(row(2, "b"))]
    path.write_text("\n".join([good[0], '{"id": "p9", "te', "[1]", "", '{"cluster":"a"}', good[1]]))
    gold = load_gold([path])
    assert gold.post_id == ["p1", "p2"]
    assert gold.line.tolist() == [1, 6]
    assert gold.files[0].unreadable == 3


def test_timeless_posts_get_the_assumed_rate(tmp_path):
    rows = [row(1, created_at=None), row(2, "b"), row(3, created_at=None)]
    gold = load_gold([write(tmp_path / "x.jsonl", rows)], assume_rate=1800)
    assert gold.time[[0, 2]].tolist() == [1577836800.0, 1577836802.0]
    assert gold.time[1] == 1714525200.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("2024-05-01T01:00:00Z", 1714525200.0),
        ("2024-05-01T08:00:00.250+07:00", 1714525200.25),
        (1714525200, 1714525200.0),
        (1714525200250, 1714525200.25),
        ("1714525200", 1714525200.0),
    ],
)
def test_times_are_read_in_every_form_of_the_contract(value, seconds):
    assert epoch_seconds(value) == seconds


@pytest.mark.parametrize("value", [None, "", "yesterday", "2024-05-01T08:00:00", True, [1], {}])
def test_what_is_no_moment_has_no_time(value):
    assert np.isnan(epoch_seconds(value))


def test_plain_wording_levels_composition_space_and_case():
    assert plain_wording("Ca\u0302\u0300u  MÂY\n sập ") == plain_wording("cầu mây SẬP")
    assert plain_wording("Cầu Mây sập") != plain_wording("Cau May sap")


def test_missing_cluster_column(tmp_path):
    rows = [{k: v for k, v in row(1).items() if k != "cluster"}]
    with pytest.raises(EvaluationError) as error:
        load_gold([write(tmp_path / "plain.jsonl", rows)])
    message = one_line(error)
    assert "plain.jsonl: no `cluster` column" in message
    assert "add" in message


def test_one_story_only(tmp_path):
    with pytest.raises(EvaluationError) as error:
        load_gold([write(tmp_path / "x.jsonl", [row(1), row(2), row(3, None)])])
    assert "all 2 labelled posts belong to one story ('a')" in one_line(error)


def test_no_labels_at_all(tmp_path):
    path = write(tmp_path / "x.jsonl", [row(1, None), row(2, "")])
    with pytest.raises(EvaluationError) as error:
        load_gold([path])
    assert "none of 2 posts has a story" in one_line(error)
    assert load_gold([path], allow_unlabelled=True).stories == ()


def test_wrong_columns(tmp_path):
    with pytest.raises(EvaluationError) as error:
        load_gold([write(tmp_path / "x.jsonl", [{"tweet": 1}, {"tweet": 2}])])
    assert "expected JSON lines or CSV with the columns id, text" in one_line(error)


def test_missing_file(tmp_path):
    with pytest.raises(EvaluationError) as error:
        load_gold([tmp_path / "gone.jsonl"])
    assert "No such file" in one_line(error)


@pytest.mark.parametrize(
    "content", [b"plain text", gzip.compress(b'{"id": 1}\n' * 99, mtime=0)[:-12]]
)
def test_not_gzip_or_cut_short(tmp_path, content):
    path = tmp_path / "x.jsonl.gz"
    path.write_bytes(content)
    with pytest.raises(EvaluationError) as error:
        load_gold([path])
    assert "x.jsonl.gz: not gzip data, or cut short" in one_line(error)


@pytest.mark.parametrize("name", ["x.jsonl", "x.jsonl.gz", "x.csv"])
def test_empty_file(tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(EvaluationError) as error:
        load_gold([tmp_path / name])
    assert "the file is empty" in one_line(error)


def test_standard_input_and_no_file():
    for paths in (["-"], []):
        with pytest.raises(EvaluationError) as error:
            load_gold(paths)
        assert "file" in one_line(error)
