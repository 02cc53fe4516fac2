"""What a rumor's documents show: one central headline, and varied exemplars."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.exemplars import HEADLINE, Shown, ShownOfAlert
from alerts.parameters import EXEMPLARS
from alerts.rumor import Kept
from alerts.wordings import near_copies, words_in
from embeddings.features import wording, words_of
from embeddings.normalise import clean, fold
from streams.records import Flag

CLAIM = "Đập Hồ Lam nứt lớn, hạ du sơ tán ngay trong đêm nay"

# Invented.
TELLINGS = [
    "Trời ơi",
    "Đập nứt rồi",
    CLAIM,
    "Nghe loa phường báo đập Hồ Lam nứt, hạ du sơ tán trong đêm",
    "Đập Hồ Lam nứt, hạ du sơ tán gấp, tôi đang gói ghém đồ đạc, gọi điện cho cả họ, dắt trâu bò "
    "lên đồi, mà xe thì hết xăng, chợ thì đóng cửa, không biết tính sao cho kịp với mẹ già con nhỏ",
]


def kept(place: int, text: str, **fields: Any) -> Kept:
    given: dict[str, Any] = {
        "source": "feed",
        "id": f"p{place:03d}",
        "text": text,
        "created_at": place,
        "lang": "vi",
        **dict.fromkeys(("platform", "community", "url", "reply_to", "repost_of")),
        "kind": 0,
        "flags": 0,
        "reach": 0,
        "micro": "m",
        "category": "other",
        "sure": 0,
        "wording": wording(words_of(fold(clean(text)))),
        "words": len(text.split()[:20]),
    }
    return Kept(**{**given, **fields})


def shown(*posts: Kept) -> ShownOfAlert:
    made = ShownOfAlert()
    made.follow(posts)
    return made


@pytest.mark.parametrize(
    "copy",
    [
        "dap ho lam nut lon, ha du so tan ngay trong dem nay",
        "ĐẬP HỒ LAM NỨT LỚN!!! Hạ du sơ tán ngay trong đêm nay 😱 https://lam.example/1",
        "Khẩn: đập Hồ Lam nứt lớn, hạ du sơ tán ngay trong đêm nay nhé",
        "Đập Hồ Lam nứt lớn, hạ du sơ tán ngay đêm nay, gọi [phone]",
    ],
)
def test_retyped_and_slightly_longer_ones_are_near_copies(copy: str) -> None:
    assert near_copies(words_in(CLAIM), words_in(copy))


@pytest.mark.parametrize(
    "other",
    [
        "Đập Hồ Lam nứt à? Ai ở hạ du xác nhận giúp với",
        "Công an bác bỏ: đập Hồ Lam an toàn, đừng chia sẻ tin sai",
        "Nghe loa phường báo đập nứt, cả xóm chạy lên đồi rồi",
    ],
)
def test_the_same_claim_in_other_words_is_none(other: str) -> None:
    assert not near_copies(words_in(CLAIM), words_in(other))


def test_scripts_without_spaces_are_compared_by_their_characters() -> None:
    one, other = words_in("大坝快要决堤，大家快撤离"), words_in("大坝快要决堤，大家快点撤离")
    assert near_copies(one, other)
    assert not near_copies(one, words_in("银行没有现金，储户排队取钱"))


def test_the_headline_is_what_most_say_and_no_fragment_or_essay() -> None:
    assert shown(*map(kept, range(9), TELLINGS)).headline == CLAIM


def test_what_is_copied_most_weighs_most() -> None:
    other = "Xe tải lật ở dốc Mây, đường tắc từ sáng tới giờ"
    posts = [CLAIM, *[other] * 5, CLAIM]
    assert shown(*map(kept, range(9), posts)).headline == other


def test_it_states_where_something_does() -> None:
    asks = [kept(n, CLAIM + " phải không", flags=int(Flag.ENQUIRY)) for n in range(5)]
    told = "Đập Hồ Lam có vết nứt dài hai mét, chụp sáng nay"
    assert shown(*asks).headline == CLAIM + " phải không"
    assert shown(*asks, kept(9, told)).headline == told


def test_it_is_cut_at_its_length() -> None:
    headline = shown(kept(0, "đập nứt " * 60)).headline
    assert len(headline) <= HEADLINE and headline.endswith("…")


def test_roles_are_filled_by_what_is_no_near_copy() -> None:
    posts = [
        kept(0, CLAIM),
        kept(1, CLAIM.upper() + "!!!", reach=9000),  # most reach, but says the same
        kept(2, "Đập Hồ Lam nứt à? Ai ở hạ du xác nhận giúp với", flags=int(Flag.ENQUIRY)),
        kept(3, "Ban quản lý nói đập an toàn, tin nứt là bịa", flags=int(Flag.DENIAL)),
        kept(4, "Thông báo: đập Hồ Lam không có sự cố, nước vẫn trong mức", kind=2),
        kept(5, "Cả xóm tôi gói đồ chạy lên đồi ngồi rồi đây này"),
    ]
    found = {e.why: e.post_id for e in shown(*posts).exemplars}
    assert found == {
        "first": "p000", "correction": "p004", "enquiry": "p002", "denial": "p003", "newest": "p005",
    }  # fmt: skip


WORDS = words_in("dap nut ho lam ha du so tan dem nay loa phuong bao chay len doi xe tat cau")
TEXTS = st.lists(
    st.lists(st.sampled_from(WORDS), min_size=0, max_size=9).map(" ".join), min_size=1, max_size=40
)


@given(texts=TEXTS)
def test_at_most_ten_and_no_two_near_copies(texts: list[str]) -> None:
    posts = [
        kept(n, text, flags=[0, 1, 2][n % 3], reach=n * 7 % 5, kind=2 if n % 11 == 10 else 0)
        for n, text in enumerate(texts)
    ]
    exemplars = shown(*posts).exemplars
    assert len(exemplars) <= EXEMPLARS
    for one, other in combinations(exemplars, 2):
        assert not near_copies(words_in(one.text), words_in(other.text))


@pytest.mark.parametrize("kind", [Shown, ShownOfAlert])
@given(texts=TEXTS, cuts=st.sets(st.integers(1, 39)))
def test_what_is_shown_follows_from_the_posts_whenever_they_were_followed(
    kind: type[Shown], texts: list[str], cuts: set[int]
) -> None:
    posts = [kept(n, text, flags=[0, 0, 1][n % 3]) for n, text in enumerate(texts)]
    once, often = kind(), kind()
    once.follow(posts)
    for _, end in pairwise([0, *sorted(c for c in cuts if c < len(posts)), len(posts)]):
        often.follow(posts[:end])
        assert often.headline is not None and often.exemplars is not None
    assert (often.headline, often.exemplars) == (once.headline, once.exemplars)
