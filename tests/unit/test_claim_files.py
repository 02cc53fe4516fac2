"""Claims out of files: what is read, and what is told of records that cannot be used.

All claims are invented.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from streams.sources.claims import ClaimFile, ClaimFileError, read_claims

CSV = """id,text,text_en,verdict,source,date,correction,link
k1,Đập Hồ Lam sắp vỡ,The Ho Lam dam is about to break,fake,Trạm kiểm chứng,2026-03-01,Đập an toàn,https://a.example/1
k2,Ngân hàng Sao Mai hết tiền,,Sai sự thật,Trạm kiểm chứng,,,
k3,Cầu Mơ bị sập,,,Trạm kiểm chứng,,,
k1,Đập Hồ Lam sắp vỡ lần nữa,,fake,Trạm kiểm chứng,,,
k4,,,fake,Trạm kiểm chứng,,,
k5,Giá điện tăng gấp đôi,,perhaps,Trạm kiểm chứng,,,
k6,Giá nước tăng,,true,Trạm kiểm chứng,yesterday,,
k7,Giá xăng tăng,,true,Trạm kiểm chứng,,,javascript:x
"""


def review(**changes: Any) -> dict[str, Any]:
    values = {
        "@context": "https://schema.org",
        "@type": "ClaimReview",
        "url": "https://check.example/dam",
        "claimReviewed": "The Ho Lam dam is about to break",
        "inLanguage": "en-GB",
        "author": {"@type": "Organization", "name": "Check Desk (invented)"},
        "datePublished": "2026-03-01",
        "reviewRating": {"@type": "Rating", "alternateName": "False"},
        "reviewBody": "The dam is sound.",
    }
    return values | changes


def read(tmp_path: Path, name: str, text: str) -> ClaimFile:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read_claims(path)


def test_csv_keeps_the_good_and_tells_each_other_line(tmp_path: Path) -> None:
    found, problems = read(tmp_path, "known.csv", CSV)
    assert [(c.verdict, c.texts) for c in found] == [
        ("fake", [("Đập Hồ Lam sắp vỡ", None), ("The Ho Lam dam is about to break", "en")]),
        ("fake", [("Ngân hàng Sao Mai hết tiền", None)]),
    ]
    assert (found[0].correction, found[0].link) == ("Đập an toàn", "https://a.example/1")
    assert found[0].published_at == 1_772_323_200_000
    assert [place for place, _ in problems] == [f"line {n}" for n in range(4, 10)]
    said = [reason for _, reason in problems]
    for reason, part in zip(
        said,
        ["no verdict", "stands in line 2", "text is missing", "'perhaps'", "no date", "https://"],
        strict=True,
    ):
        assert part in reason


def test_ids_do_not_change_between_two_readings(tmp_path: Path) -> None:
    one, two = (read(tmp_path, "known.csv", CSV).found for _ in range(2))
    assert [c.claim for c in one] == [c.claim for c in two]


@pytest.mark.parametrize("wrap", ["bare", "list", "graph", "feed", "lines"])
def test_claim_reviews_are_found_however_they_are_wrapped(tmp_path: Path, wrap: str) -> None:
    two = review(url="https://check.example/bank", claimReviewed=["Ngân hàng hết tiền", "No cash"])
    text = {
        "bare": json.dumps(review()),
        "list": json.dumps([review(), two]),
        "graph": json.dumps({"@context": "x", "@graph": [review(), two]}),
        "feed": json.dumps({"dataFeedElement": [{"item": [review(), two]}]}),
        "lines": "\n".join(map(json.dumps, (review(), two))),
    }[wrap]
    found, problems = read(tmp_path, "known.json", text)
    assert problems == []
    assert len(found) == (1 if wrap == "bare" else 2)
    first = found[0]
    assert first.texts == [("The Ho Lam dam is about to break", "en")]
    assert (first.verdict, first.rating, first.source) == ("fake", "False", "Check Desk (invented)")
    assert (first.correction, first.link) == ("The dam is sound.", "https://check.example/dam")


@pytest.mark.parametrize(
    ("rating", "verdict"),
    [
        ({"alternateName": "Pants on Fire!"}, "fake"),
        ({"alternateName": "Half-True"}, "not-the-truth"),
        ({"alternateName": "Tin giả"}, "fake"),
        ({"alternateName": "Không đúng sự thật"}, "not-the-truth"),
        ({"alternateName": {"@value": "Chưa kiểm chứng", "@language": "vi"}}, "unverifiable"),
        ({"ratingValue": "1", "worstRating": 1, "bestRating": 5}, "fake"),
        ({"ratingValue": 5, "worstRating": 1, "bestRating": 5}, "authenticated"),
        ({"ratingValue": 2, "worstRating": 1, "bestRating": 5}, "not-the-truth"),
        ({"ratingValue": 9, "worstRating": 1, "bestRating": 5}, None),
        ({"ratingValue": "NaN", "worstRating": 1, "bestRating": 5}, None),
        ({}, None),
        (None, None),
    ],
)
def test_ratings_become_verdicts_or_are_told(
    tmp_path: Path, rating: Any, verdict: str | None
) -> None:
    found, problems = read(tmp_path, "known.json", json.dumps([review(reviewRating=rating)]))
    assert [c.verdict for c in found] == ([verdict] if verdict else [])
    assert len(problems) == (verdict is None)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("k.json", "{half", "no JSON"),
        ("k.json", '{"@type": "Article"}', "holds no ClaimReview"),
        ("k.csv", "a,b\n1,2\n", "no columns"),
        ("k.csv", "", "no columns"),
    ],
)
def test_a_file_without_claims_is_one_line_with_the_mend(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    with pytest.raises(ClaimFileError, match=said):
        read(tmp_path, name, text)


def test_a_broken_line_among_good_ones_is_told(tmp_path: Path) -> None:
    text = "\n".join([json.dumps(review()), "{half", json.dumps(review(url="https://b.example"))])
    found, problems = read(tmp_path, "known.json", text)
    assert len(found) == 2
    assert problems[0].place == "line 2"
    assert "no JSON" in problems[0].reason


def test_a_file_that_is_not_utf8_is_told(tmp_path: Path) -> None:
    path = tmp_path / "k.csv"
    path.write_bytes("text,verdict\nđập,fake\n".encode("utf-16"))
    with pytest.raises(ClaimFileError, match="UTF-8"):
        read_claims(path)
