"""What is indexed and asked: plain words, the same for every way to type them."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stores.folding import MAX_WORD, folded, query_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Đường dây NÓNG bị CẮT", "duong day nong bi cat"),
        ("lừa_đảo #LừaĐảo", "lua dao luadao"),
        ("https://example.org/tin-nóng", "https example org tin nong"),
        ("ko dc chuyển đâu", "khong duoc chuyen dau"),
        ("straße Ёж Łódź", "strasse еж lodz"),
        ("مَدرَسة", "مدرسة"),
        ("東京タワー", "東 京 タ ワ ー"),
        ("हिन्दी में", "हिन्दी में"),
        ("한국 한국", "한국 한국"),
        ("\x00 ?! 😱", ""),
        ("y" * 200, "y" * MAX_WORD),
        ("đ" * 200, "d" * MAX_WORD),
    ],
)
def test_words(text: str, words: str) -> None:
    assert folded(text) == words


@given(st.text())
def test_only_words_and_single_spaces(text: str) -> None:
    plain = folded(text)
    assert plain == " ".join(plain.split())
    assert not re.search(
        r"[\x00-\x1f!-/:-@\[-`{-\x7f]", plain
    )  # ASCII other than letters and digits
    assert all(len(word) <= MAX_WORD for word in plain.split(" "))


@given(st.text())
def test_normal_forms_and_case_of_ascii_make_no_difference(text: str) -> None:
    assert folded(unicodedata.normalize("NFD", text)) == folded(unicodedata.normalize("NFC", text))


@given(st.text(), st.text())
def test_words_fold_one_by_one(left: str, right: str) -> None:
    assert folded(f"{left} {right}").split() == folded(left).split() + folded(right).split()


def test_a_query_names_each_word_once() -> None:
    assert query_words("Tin TIN  đồn tin") == ["tin", "don"]
    assert query_words("") == query_words("...") == []
