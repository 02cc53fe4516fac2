"""Posts written in different manners come out alike; what carries meaning stays."""

import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embeddings.features import words_of
from embeddings.normalise import clean, fold


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("RT @ten: Đập SẮP vỡ!", "đập sắp vỡ!"),
        ("rt rt @a Tin mới", "tin mới"),
        ("Fwd: tin", "tin"),
        ("Rtvm là kênh", "rtvm là kênh"),
        ("Xem https://a.example/x?y=1 ngay", "xem ngay"),
        ("Xem WWW.a.example/x ngay", "xem ngay"),
        ("bit.ly/2abc xem pic.twitter.com/aB1", "xem"),
        ("ảnh cũhttp://t.example/a", "ảnh cũ"),
        ("1/2 ngày 3/4", "1/2 ngày 3/4"),
        ("gọi [phone] hoặc [email] nhé, via [user]", "gọi hoặc nhé,"),
        ("<URL> cảm ơn <PHONE>", "cảm ơn"),
        ("cảm ơn @ten.toi via @bao", "cảm ơn"),
        ("#TinGia #dapSapVo #covid19 #SOSMienTrung", "tin gia dap sap vo covid 19 sos mien trung"),
        ("#tin_gia", "tin gia"),
        ("thậtttttt   khônggg\n\nvậyyy", "thật không vậy"),
        ("quáaaaaa trờiiii", "quá trời"),
        ("mất 1000000 đồng", "mất 1000000 đồng"),
        ("coool", "col"),
        ("ＦＵＬＬ ｗｉｄｔｈ 𝐛𝐨𝐥𝐝", "full width bold"),
        ("cấ\u200bm đư\u00adờng", "cấm đường"),
        ("😱😱😱", "😱😱😱"),
        ("", ""),
    ],
)
def test_clean(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("đập thủy điện sắp vỡ", "dap thuy dien sap vo"),
        ("ước ƯỚC Đ", "uoc UOC D"),
        ("naïve café straße", "naive cafe strasse"),
        ("ёлка йод", "елка йод"),
        ("हिन्दी ไทย", "हिन्दी ไทย"),
        ("“nháy” – gạch", '"nhay" - gach'),
    ],
)
def test_fold(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_composed_and_decomposed_writing_are_the_same() -> None:
    text = "Nghị định cấm đường từ ngày mai, người dân hoang mang"
    assert clean(unicodedata.normalize("NFD", text)) == clean(unicodedata.normalize("NFC", text))


def test_without_diacritics_the_words_are_the_same() -> None:
    assert words_of(fold(clean("Công an tỉnh THÔNG BÁO khẩn"))) == words_of(
        "cong an tinh thong bao khan"
    )


def test_emoji_stay_out_of_words() -> None:
    assert words_of(fold(clean("nóng🔥🔥quá👨‍👩‍👧trời"))) == ["nong", "qua", "troi"]


@settings(max_examples=300)
@given(st.text(max_size=80))
def test_any_text_can_be_cleaned_and_is_stable_in_form(text: str) -> None:
    cleaned = clean(text)
    assert cleaned == " ".join(cleaned.split())
    assert fold(fold(cleaned)) == fold(cleaned)


@pytest.mark.parametrize(
    "piece", ["a", "ab-", "a.", "#a", "RT ", "@", "á", "aA1", "[", "a/", "www."]
)
def test_no_text_is_slow(piece: str) -> None:
    """10,000 hostile characters stay linear."""
    begin = time.perf_counter()
    fold(clean(piece * (10_000 // len(piece)) + "/"))
    assert time.perf_counter() - begin < 1.0
