"""Vietnamese is known with and without diacritics; other languages by the model; short texts by
nobody."""

import gzip
import json
from pathlib import Path

import pytest

from embeddings.features import words_of
from embeddings.language import detect, stated
from embeddings.normalise import clean, fold


def language(text: str) -> str:
    cleaned = clean(text)
    return detect(cleaned, words_of(fold(cleaned)))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Đập thủy điện sắp vỡ, bà con sơ tán ngay", "vi"),
        ("dap thuy dien sap vo ba con so tan ngay di", "vi"),
        ("co ai biet tin nay that ko ad oi", "vi"),
        ("nghe noi ngay mai cup dien ca tuan dung k mn", "vi"),
        ("The dam is about to break and the police will not tell you", "en"),
        ("Police confirm shooting downtown", "en"),
        ("La presa está a punto de romperse, la policía pide calma", "es"),
        ("Bendungan akan jebol, warga diminta segera mengungsi", "id"),
        ("Der Damm wird bald brechen, sagt die Polizei heute", "de"),
        ("Le barrage va céder, la police demande aux habitants de partir", "fr"),
        ("السد على وشك الانهيار والشرطة تطلب من السكان المغادرة", "ar"),
        ("เขื่อนกำลังจะแตก ตำรวจขอให้ประชาชนอพยพ", "th"),
        ("大坝即将决堤，警方要求居民立即撤离", "zh"),
        ("댐이 곧 무너진다고 경찰이 주민들에게 대피를 요청했다", "ko"),
        ("", "und"),
        ("ok", "und"),
        ("123 456 789 000", "und"),
        ("😱😱😱 !!!", "und"),
        ("https://t.example/x", "und"),
    ],
)
def test_language_of_a_post(text: str, code: str) -> None:
    assert language(text) == code


@pytest.mark.parametrize(
    ("said", "code"),
    [("vi", "vi"), ("vi-VN", "vi"), ("EN", "en"), ("pt_BR", "pt"), ("in", "id"), ("iw", "he")]
    + [(nothing, None) for nothing in (None, "", "und", "qme", "tiếng Việt", "e1")],
)
def test_what_a_source_says_is_taken_if_it_is_a_code(said: str | None, code: str | None) -> None:
    assert stated(said) == code


def test_nothing_is_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    from embeddings import language as module

    def refuse(*_: object) -> None:
        raise AssertionError("the language model reached for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    module._model.cache_clear()
    assert language("Der Damm wird bald brechen, sagt die Polizei heute") == "de"


@pytest.mark.parametrize(
    ("name", "stripped", "least"),
    [
        ("chatter_vi", False, 0.90),
        ("chatter_vi", True, 0.78),
        ("posts_vi", True, 0.97),
        ("rumours_en", False, 0.96),
    ],
)
def test_shares_on_labelled_posts(
    shared_data: Path, name: str, stripped: bool, least: float
) -> None:
    """The figures of docs/intake.md; "und" counts against, though many of these comments have no
    words."""
    with gzip.open(shared_data / "data" / "labelled" / f"{name}.jsonl.gz", "rt") as file:
        texts = [json.loads(line)["text"] for line, _ in zip(file, range(3000), strict=False)]
    if stripped:
        texts = [fold(clean(text)) for text in texts]
    want = name[-2:]
    assert sum(language(text) == want for text in texts) / len(texts) >= least
