"""The figures that encoders are compared by say what they claim to say."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from embeddings import load_encoder, quality
from embeddings.safetensor_file import SafetensorError, read_arrays, write_arrays
from embeddings.train.quantise import quantise


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_rank_one_is_one_for_twins_and_half_when_one_direction_fails() -> None:
    rows = unit(np.random.default_rng(1).normal(size=(20, 8)))
    assert quality.rank_one(rows, rows) == 1.0
    assert quality.rank_one(rows, rows[::-1]) == 0.0
    # Every row of b is nearest to its own a, but all rows of a are nearest to b's first row.
    a = np.array([[1.0, 0.0], [0.9, 0.1]])
    b = np.array([[2.0, 0.0], [0.0, 1.0]])
    assert quality.rank_one(a, b) == 0.75


def test_story_auc_is_one_for_separate_stories_and_half_for_chance() -> None:
    rng = np.random.default_rng(2)
    stories = ["a"] * 50 + ["b"] * 50
    apart = np.repeat([[1.0, 0.0], [0.0, 1.0]], 50, axis=0) + rng.normal(0, 0.01, (100, 2))
    assert quality.story_auc(unit(apart), stories) > 0.999
    noise = unit(rng.normal(size=(100, 32)))
    assert abs(quality.story_auc(noise, stories) - 0.5) < 0.05


def test_labelled_reads_stories_and_leaves_chatter_and_repeats_out(tmp_path: Path) -> None:
    posts = [
        {"text": "Cầu sập ở xã A", "cluster": "s1"},
        {"text": "cầu sập ở xã A https://t.example/x", "cluster": "s1"},
        {"text": "chào buổi sáng", "cluster": None},
        {"text": "The dam broke", "cluster": "s2"},
    ]
    text = "".join(json.dumps(post) + "\n" for post in posts)
    plain, packed = tmp_path / "p.jsonl", tmp_path / "p.jsonl.gz"
    plain.write_text(text, "utf-8")
    packed.write_bytes(gzip.compress(text.encode()))
    texts, stories = quality.labelled(plain)
    assert (texts, stories) == quality.labelled(packed)
    assert sorted(stories) == ["s1", "s2"]
    assert "chào buổi sáng" not in texts


def test_damage_leaves_a_post_nearer_to_itself_than_to_another() -> None:
    encode = load_encoder().encode
    texts = [
        "Người dân xã ven sông phải sơ tán trong đêm vì nước lũ dâng cao",
        "Công an chưa xác nhận tin bắt cóc trẻ em gần trường học",
        "Giá xăng sẽ tăng từ ngày mai, nhiều người xếp hàng chờ mua",
    ]
    assert encode(texts[:1])[0] @ encode(texts[1:2])[0] < quality.damage(encode, texts)["phone"]


def test_quantised_rows_are_within_one_part_in_127_of_their_peak() -> None:
    table = np.random.default_rng(3).normal(size=(500, 64)).astype(np.float32)
    table *= np.geomspace(0.01, 3, 500, dtype=np.float32)[:, None]
    rows, scales = quantise(table)
    step = np.abs(table).max() / (127 * 343)
    error = np.abs(rows.astype(np.float64) * scales[:, None] * step - table).max(1)
    peak = np.abs(table).max(1)
    assert (error <= np.maximum(peak / 127, step)).all()


def test_safetensors_round_trip_and_every_cut_is_refused(tmp_path: Path) -> None:
    arrays = {"a": np.arange(12, dtype=np.int8).reshape(3, 4), "b": np.zeros(0, np.float32)}
    file = tmp_path / "x.safetensors"
    write_arrays(file, arrays, {"k": "v"})
    back, metadata = read_arrays(file)
    assert metadata == {"k": "v"}
    for name, array in arrays.items():
        assert back[name].dtype == array.dtype and np.array_equal(back[name], array)
    whole = file.read_bytes()
    for size in (0, 7, 8, 20, len(whole) - 1):
        (cut := tmp_path / f"{size}.safetensors").write_bytes(whole[:size])
        with pytest.raises(SafetensorError):
            read_arrays(cut)
