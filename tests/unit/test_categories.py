"""What a post and a rumor are about."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.topics import LEAST, category_of
from config.taxonomy import load_taxonomy
from embeddings.categories import Categories
from embeddings.door import Door, build_frame
from embeddings.encoder import load_encoder
from streams.records import Flag, PostColumns
from streams.validation import InputRecord, IntakeRules

RULES = IntakeRules(future_ms=None)

# Invented; none stands in the taxonomy.
TEXTS = {
    "Đê sông Lam bị nứt, nước tràn vào ruộng rồi, bà con sơ tán ngay": "disaster",
    "de song lam bi nut nuoc tran vao ruong roi ba con so tan ngay": "disaster",
    "Có người tự xưng công an gọi bắt chuyển tiền, giả danh đó mn": "impersonation",
    "Ngân hàng Sao Khuê vỡ nợ, mai không rút tiền được nữa": "economy",
    "Uống lá này khỏi bệnh tiểu đường luôn, khỏi cần đi bác sĩ": "health",
    "A little boy was kidnapped in front of our school, share please": "missing",
    "Ô tô khách tông xe tải trên quốc lộ, kẹt xe mấy cây số": "traffic",
    "Bấm link nhận quà trúng thưởng là bị lừa đảo mất sạch tiền": "scam",
    "chúc cả nhà ngủ ngon nhé": "other",
    "ok": "other",
}


def record(number: int, text: str) -> InputRecord:
    post = {"id": str(number), "text": text, "created_at": "2026-05-04T03:21:00Z"}
    return InputRecord(
        raw=msgspec.json.encode(post),
        source="feed",
        received_at=1_777_864_860_000,
        input=f"x.jsonl:{number}",
    )


def door(**given: Any) -> Door:
    return Door(key=b"key of the tests", rules=RULES, encoder=load_encoder(), **given)


def columns(of: Door, *texts: str) -> PostColumns:
    entries = [(n, record(n, text)) for n, text in enumerate(texts)]
    return build_frame(of, entries, origin="o", partition=0).frame.posts


def test_posts_are_told_their_category() -> None:
    found = columns(door(), *TEXTS)
    assert dict(zip(TEXTS, found.category, strict=True)) == TEXTS
    for name, sure in zip(found.category, found.sure.tolist(), strict=True):
        assert sure == 0 if name == "other" else 60 <= sure <= 99


def test_harm_is_a_flag_of_the_category() -> None:
    shipped = {c.id: c.harm for c in load_taxonomy().categories}
    found = columns(door(), *TEXTS)
    for name, flags in zip(found.category, found.flags.tolist(), strict=True):
        assert bool(flags & Flag.HARM) is (name != "other" and shipped[name])


@pytest.fixture(scope="module")
def whole() -> PostColumns:
    """All texts in one batch."""
    return columns(door(), *TEXTS)


@given(cuts=st.sets(st.integers(1, len(TEXTS) - 1)))
def test_a_category_does_not_depend_on_the_batch(whole: PostColumns, cuts: set[int]) -> None:
    texts = list(TEXTS)
    edges = [0, *sorted(cuts), len(texts)]
    fresh = door()
    parts = [columns(fresh, *texts[a:b]) for a, b in pairwise(edges)]
    assert [c for p in parts for c in p.category] == whole.category
    assert [s for p in parts for s in p.sure.tolist()] == whole.sure.tolist()


def test_another_taxonomy_needs_no_code(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(
        """
categories:
  - {id: dragons, names: {vi: Rồng, en: Dragons}, harm: true, words: [rồng, dragon]}
  - {id: other, names: {vi: Khác, en: Other}, words: [chào, hello]}
""",
        encoding="utf-8",
    )
    found = columns(door(taxonomy=load_taxonomy(file)), "rồng lửa bay qua cầu, thấy rồng không")
    assert found.category == ["dragons"]


def test_words_alone_decide_without_an_encoder() -> None:
    bare = Door(key=b"key of the tests", rules=RULES, encoder=None)
    found = columns(bare, "Vỡ đập rồi, xả lũ trong đêm, sơ tán gấp", "đi chợ thôi")
    assert found.category == ["disaster", "other"]


def test_weights_are_whole_and_small_enough_to_add_exactly() -> None:
    weights = Categories(load_taxonomy(), load_encoder())._weights
    assert (weights == weights.round()).all()
    longest = float(((weights.astype(float) ** 2).sum(axis=0) ** 0.5).max())
    assert longest * (512 + 8) < 2**24, "every partial sum is a whole number that float32 holds"


@given(st.dictionaries(st.sampled_from("abcde"), st.integers(1, 900)), st.integers(9, 20))
def test_a_rumors_category_is_the_largest_share_or_other(sums: dict[str, int], posts: int) -> None:
    name, confidence = category_of(sums, posts)
    best = max(sums.values(), default=0) / (100 * posts)
    if name == "other":
        assert best < LEAST and confidence == pytest.approx(1 - best, abs=1e-4)
    else:
        assert best >= LEAST and confidence == pytest.approx(best, abs=1e-4)
        assert all((-sums[name], name) <= (-n, other) for other, n in sums.items())
