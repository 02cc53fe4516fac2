"""Flags come from words as people write them, and not from words that only look alike. All posts
are invented."""

import gzip
import json
from pathlib import Path

import pytest

from embeddings.features import words_of
from embeddings.flags import LexiconError, Lexicons, load
from embeddings.normalise import clean, fold
from streams.records import Flag


@pytest.fixture(scope="module")
def lexicons() -> Lexicons:
    return load()


def flags(lexicons: Lexicons, text: str) -> Flag:
    cleaned = clean(text)
    return Flag(lexicons.flags(words_of(fold(cleaned)), cleaned))


@pytest.mark.parametrize(
    "text",
    [
        "Vụ này có thật không mọi người",
        "vu nay co that ko",
        "thật k ad?",
        "thiệt hông ad",
        "Ai biết thông tin này không, cho mình hỏi với",
        "có ai xác nhận chưa ạ",
        "co ai xac nhan chua",
        "nghe nói mai cúp nước cả tuần đúng không?",
        "tin chuẩn chưa",
        "nguồn đâu bạn",
        "Tin này thật hay giả",
        "Is this true?",
        "can anyone confirm this",
        "Really?",
        "unconfirmed reports of a flood",
    ],
)
def test_enquiries(lexicons: Lexicons, text: str) -> None:
    assert flags(lexicons, text) & Flag.ENQUIRY


@pytest.mark.parametrize(
    "text",
    [
        "Tin giả đấy, đừng share nữa",
        "tin gia day moi nguoi oi",
        "bịa đặt hết",
        "làm gì có chuyện đó",
        "lam gi co chuyen do",
        "công an bác bỏ rồi",
        "thông tin sai sự thật",
        "đã đính chính",
        "this is a hoax",
        "that's not true",
        "officials debunk the claim",
    ],
)
def test_denials(lexicons: Lexicons, text: str) -> None:
    assert flags(lexicons, text) & Flag.DENIAL


@pytest.mark.parametrize(
    ("text", "flag"),
    [
        ("CHIA SẺ GẤP cho bà con", Flag.URGENT),
        ("de nghi moi nguoi canh giac", Flag.URGENT),
        ("please share, beware of this number", Flag.URGENT),
        ("Công an tỉnh thông báo", Flag.AGENCY),
        ("cong an phuong goi dien", Flag.AGENCY),
        ("Ngân hàng sắp sập", Flag.AGENCY),
        ("the police and the ministry said", Flag.AGENCY),
        ("Freeship toàn quốc, ib ngay để nhận giá sỉ", Flag.ADVERT),
        ("sản phẩm chính hãng, bảo hành 12 tháng", Flag.ADVERT),
        ("order now, free shipping", Flag.ADVERT),
    ],
)
def test_other_flags(lexicons: Lexicons, text: str, flag: Flag) -> None:
    assert flags(lexicons, text) & flag


@pytest.mark.parametrize(
    "text",
    [
        "Thời tiết Bắc Bộ hôm nay",  # not "bác bỏ"
        "Nhà khoa học nghiên cứu sản phẩm",  # not "khóa học"
        "Yêu xa khó lắm",  # not "xả kho"
        "Cô thật là dễ thương",  # not "có thật là"
        "chính quyền địa phương họp",
        "Hôm nay trời đẹp quá",
        "I really like this song",
        "an executive order",
        "😱😱😱",
        "",
    ],
)
def test_words_that_look_alike(lexicons: Lexicons, text: str) -> None:
    assert not flags(lexicons, text) & (Flag.ENQUIRY | Flag.DENIAL | Flag.ADVERT)


def test_marks_narrow_a_phrase() -> None:
    lines = [
        (Flag.URGENT, "=khẩn"),
        (Flag.ENQUIRY, "really?"),
        (Flag.ENQUIRY, "nghe nói ...?"),
        (Flag.ADVERT, "~sale"),
        (Flag.ADVERT, "~combo"),
    ]
    lexicons = Lexicons(lines)
    assert flags(lexicons, "khẩn") and not flags(lexicons, "khan") and not flags(lexicons, "khăn")
    assert flags(lexicons, "oh really?!") and not flags(lexicons, "really nice, no?")
    assert flags(lexicons, "Nghe nói mai mưa? Đi thôi") and not flags(
        lexicons, "Nghe nói mai mưa. Ai đi?"
    )
    assert flags(lexicons, "sale combo") and not flags(lexicons, "sale sale sale")


def test_both_places_of_a_tone_are_one_word() -> None:
    lexicons = Lexicons([(Flag.AGENCY, "tòa án"), (Flag.AGENCY, "ủy ban")])
    for text in ("toà án", "tòa án", "toa an", "uỷ ban", "Ủy ban"):
        assert flags(lexicons, text), text


def test_only_the_beginning_of_a_long_post_counts(lexicons: Lexicons) -> None:
    assert not flags(lexicons, "trời xanh mây trắng " * 40 + "tin giả đấy") & Flag.DENIAL


def test_a_folder_of_the_users_adds_phrases(tmp_path: Path) -> None:
    (tmp_path / "enquiry.nt.txt").write_text(
        "# miền Nam Trung Bộ\ncó thiệt rứa\n\n", encoding="utf-8"
    )
    (tmp_path / "teencode.txt").write_text("mnguoi mọi người\n", encoding="utf-8")
    lexicons = load(tmp_path)
    assert flags(lexicons, "co thiet rua") & Flag.ENQUIRY
    assert flags(lexicons, "đúng không mnguoi") & Flag.ENQUIRY
    assert flags(lexicons, "bịa đặt") & Flag.DENIAL


def test_a_bad_lexicon_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(LexiconError, match="does not exist"):
        load(tmp_path / "none")
    (tmp_path / "rumor.txt").write_text("x")
    with pytest.raises(LexiconError, match="enquiry, denial"):
        load(tmp_path)
    (tmp_path / "rumor.txt").unlink()
    (tmp_path / "teencode.txt").write_text("a b\nzz\n")
    with pytest.raises(LexiconError, match=":2 "):
        load(tmp_path)
    (tmp_path / "teencode.txt").write_bytes(b"\xff")
    with pytest.raises(LexiconError, match="UTF-8"):
        load(tmp_path)


def test_no_shipped_phrase_is_empty_or_written_twice() -> None:
    folder = Path(__file__).resolve().parents[2] / "config" / "lexicons"
    for file in folder.glob("*.txt"):
        lines = [line for line in file.read_text("utf-8").splitlines() if line and line[0] != "#"]
        assert len(lines) > 20, file
        assert len(set(lines)) == len(lines), (
            file,
            {line for line in lines if lines.count(line) > 1},
        )


@pytest.mark.parametrize(
    ("flag", "most"),
    [(Flag.ENQUIRY, 0.002), (Flag.DENIAL, 0.003), (Flag.URGENT, 0.003), (Flag.ADVERT, 0.005)],
)
def test_ordinary_chatter_is_rarely_flagged(
    shared_data: Path, lexicons: Lexicons, flag: Flag, most: float
) -> None:
    with gzip.open(shared_data / "data" / "labelled" / "chatter_vi.jsonl.gz", "rt") as file:
        texts = [json.loads(line)["text"] for line in file]
    assert sum(bool(flags(lexicons, text) & flag) for text in texts) / len(texts) < most
