"""Texts that differ in their links alone are masked and read as if each came alone. All are invented."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from embeddings.linked import Linked
from embeddings.links import _URL, parted
from embeddings.mask import mask
from embeddings.normalise import clean

LINKS = (
    "http://t.co/abc", "https://a.vn/tin?id=0912345678", "http://x", "http://...", "https://x.com/ten.nguoi/1",
    "pic.twitter.com/Qz1", "pic.twitter.com/", "PIC.TWITTER.COM/a", "www.a.com/b", "ftp://a.b/c", "HTTP://a.b/c",
    "http://a/b\u00b4c", "http://a/%40x%20rt", "tel:0912345678", "http://a/@ten", "http://a/(b)…", "a.com/b",
    "http://", "://", "httpſ://a.b",
)  # fmt: skip
WORDS = (
    "RT @.", "rt @ten:", "RT @…", "nước", "0912 345 678", "via", "@ten", "a@b.vn", "[phone]", "#tag", "www",
    "ww\u200bw.", "\u200b", "chia sẻ lại:", "sôôôố", "“", "\u00b4", "rt", "fwd:", ".", "51B-123.45",
)  # fmt: skip
SPACES = ("", " ", "\n", "\u00a0", "  ")

pieces = st.tuples(st.sampled_from(WORDS + LINKS), st.sampled_from(SPACES))
texts = st.lists(pieces, max_size=7).map(lambda some: "".join(a + b for a, b in some))


def alone(text: str) -> tuple[str, str]:
    masked = mask(text)
    return masked, clean(masked)


@given(st.lists(texts, min_size=1, max_size=4), st.lists(st.sampled_from(LINKS), min_size=1))
@settings(max_examples=400)
@example(["RT @.http://t.co/abc a", "RT @.http://x a"], ["http://a/b\u00b4c"])
@example(["http://t.co/abc", "http://a/%40x%20rt", "http://a/b\u00b4c"], ["a"])
def test_with_other_links_it_is_read_as_alone(some: list[str], links: list[str]) -> None:
    linked = Linked(lambda masked: clean(masked))
    others = []
    for text in some:
        parts = parted(text)
        parts[1::2] = [links[at % len(links)] for at in range(len(parts) // 2)]
        others.append("".join(parts))
    for text in some + others + some:
        assert parted(text) == _URL.split(text)  # whatever pattern it took
        found = linked.masked(text, 1_000)
        assert found is None or found == alone(text)


def test_what_stands_between_links_is_read_once() -> None:
    read: list[str] = []
    linked = Linked(read.append)
    for link in ("http://t.co/abc", "https://t.co/def", "pic.twitter.com/Qz1"):
        text = f"Nước dâng {link} ở đây {link}"
        assert linked.masked(text, 1_000) == (mask(text), None)
    assert len(read) == 1


def test_a_text_that_would_be_cut_is_left_to_others() -> None:
    linked = Linked(clean)
    assert linked.masked("nước http://a", 12) is None
    assert linked.masked("nước http://a", 13) is not None
    assert linked.masked("nước http://abc", 13) is None
