"""What every encoder promises; one suite, run over the shipped model and a user's folder.

The same checks run over a real sentence-transformers model in
tests/integration/test_sentence_transformers.py.
"""

from __future__ import annotations

import copy
import json
import pickle
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from embeddings import load_encoder
from embeddings.encoder import (
    SHIPPED,
    Encoder,
    EncoderDamaged,
    EncoderError,
    EncoderUnavailable,
    EncoderUnsupported,
    fixed_row,
)
from embeddings.static import MAX_TOKENS, StaticEncoder

# Invented posts.
POSTS = [
    "Nghe nói cầu Rồng sắp bị phong tỏa từ tối nay, có ai biết thật không?",
    "nghe noi cau rong sap bi phong toa tu toi nay",
    "Bridge closed tonight? Police say nothing yet #breaking",
    "สะพานจะปิดคืนนี้จริงไหม",
    "橋が今夜閉鎖されるというのは本当ですか",
    "!!! 😱😱 1900 2024",
]


def check_shape_and_norm(encoder: Encoder) -> None:
    rows = encoder.encode(POSTS)
    assert rows.shape == (len(POSTS), encoder.dim)
    assert rows.dtype == np.float32 and rows.flags.c_contiguous
    assert np.abs(np.linalg.norm(rows.astype(np.float64), axis=1) - 1).max() <= 1e-6


def check_no_texts(encoder: Encoder) -> None:
    assert encoder.encode([]).shape == (0, encoder.dim)
    assert encoder.encode([]).dtype == np.float32


def check_same_bytes_in_any_batch(encoder: Encoder) -> None:
    alone = [encoder.encode([post]).tobytes() for post in POSTS]
    together = encoder.encode(POSTS)
    backwards = encoder.encode(POSTS[::-1] * 3)
    for place, row in enumerate(alone):
        assert together[place].tobytes() == row
        assert backwards[len(POSTS) - 1 - place].tobytes() == row


def check_text_without_token(encoder: Encoder) -> None:
    for text in ("", "   ", "\n\t"):
        assert encoder.encode([text])[0].tobytes() == fixed_row(encoder.dim).tobytes()


def check_any_unicode(encoder: Encoder) -> None:
    odd = ["\x00", "\ud800", "a\udfffb", "\U0010ffff", "e\u0301\u0302" * 50]
    odd += ["\u202e\u200d", "ﷺ", "İΣ"]
    rows = encoder.encode(odd)
    assert np.isfinite(rows).all()
    assert np.abs(np.linalg.norm(rows.astype(np.float64), axis=1) - 1).max() <= 1e-6


def check_huge_text(encoder: Encoder) -> None:
    for text in ("lũ lụt " * 100_000, "x" * 1_000_000, "水" * 200_000):
        assert encoder.encode([text]).shape == (1, encoder.dim)


def check_wrong_types(encoder: Encoder) -> None:
    for wrong in ("a text", ["a", None], [b"bytes"], None, 3):
        with pytest.raises(TypeError):
            encoder.encode(wrong)  # type: ignore[arg-type]


def check_not_pickled(encoder: Encoder) -> None:
    with pytest.raises(TypeError, match="load_encoder"):
        pickle.dumps(encoder)
    with pytest.raises(TypeError):
        copy.deepcopy(encoder)


def check_identity(encoder: Encoder) -> None:
    name, version, digest = encoder.identity.split("/")
    assert name and version and len(digest) == 64
    int(digest, 16)


def check_threads(encoder: Encoder) -> None:
    wanted = encoder.encode(POSTS).tobytes()
    wrong: list[int] = []

    def work(number: int) -> None:
        for turn in range(5):
            extra = [f"{post} {number} {turn}" for post in POSTS]
            if encoder.encode(POSTS + extra)[: len(POSTS)].tobytes() != wanted:
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


CHECKS: list[Callable[[Encoder], None]] = [
    check_shape_and_norm,
    check_no_texts,
    check_same_bytes_in_any_batch,
    check_text_without_token,
    check_any_unicode,
    check_huge_text,
    check_wrong_types,
    check_not_pickled,
    check_identity,
    check_threads,
]


@pytest.fixture(scope="session")
def own_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's copy of the model, under another name."""
    folder = tmp_path_factory.mktemp("own") / "model"
    shutil.copytree(SHIPPED, folder)
    manifest = json.loads((folder / "model.json").read_text("utf-8"))
    (folder / "model.json").write_text(json.dumps(manifest | {"name": "own"}), "utf-8")
    return folder


@pytest.fixture(params=["shipped", "folder"])
def encoder(request: pytest.FixtureRequest, own_folder: Path) -> Encoder:
    return load_encoder(None if request.param == "shipped" else str(own_folder))


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__.removeprefix("check_"))
def test_keeps_the_contract(encoder: Encoder, check: Callable[[Encoder], None]) -> None:
    check(encoder)


def test_is_an_encoder_and_loaded_once() -> None:
    assert isinstance(load_encoder(), Encoder)
    assert load_encoder() is load_encoder()


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text(max_size=60), min_size=1, max_size=6))
def test_any_text_gives_the_same_unit_row_in_any_company(texts: list[str]) -> None:
    encoder = load_encoder()
    rows = encoder.encode(texts)
    assert np.abs(np.linalg.norm(rows.astype(np.float64), axis=1) - 1).max() <= 1e-6
    for text, row in zip(texts, rows, strict=True):
        assert encoder.encode([text])[0].tobytes() == row.tobytes()


def test_ids_by_unit_are_those_of_the_whole_text() -> None:
    texts = [
        *POSTS,
        "Chính phủ Việt Nam, thành phố Hồ Chí Minh: chính phủ",
        "CHINH PHU viet nam (chinh phu) chinh-phu 2chinh phu2 chinh phus",
        "  nhiều   khoảng trắng\u00a0và\tthẻ  ",
        "từ " * 300,
    ]
    for text, ids in zip(texts, shipped().token_ids(texts), strict=True):
        assert ids == library().encode(text[:1024]).ids[:MAX_TOKENS], text


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cn", "Co"]), max_size=80))
def test_ids_are_those_of_the_tokenizers_library(text: str) -> None:
    ids = shipped().token_ids([text])
    assert ids == [library().encode(text).ids[:MAX_TOKENS]]


@cache
def shipped() -> StaticEncoder:
    return StaticEncoder(SHIPPED)


@cache
def library() -> Tokenizer:
    return Tokenizer.from_file(str(SHIPPED / "tokenizer.json"))


def test_rows_do_not_depend_on_blas_threads() -> None:
    code = (
        "import hashlib,sys;sys.path.insert(0,'.');from embeddings import load_encoder;"
        "rows=load_encoder().encode(['chính phủ '*n for n in range(60)]);"
        "print(hashlib.sha256(rows.tobytes()).hexdigest())"
    )
    root = Path(__file__).parents[2]
    seen = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=root,
            env={"OPENBLAS_NUM_THREADS": threads, "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "4")
    }
    assert len(seen) == 1


def test_a_post_without_marks_stays_close_and_another_claim_far() -> None:
    post, without, other = load_encoder().encode(
        [
            "Chính phủ sẽ phong tỏa thành phố từ ngày mai",
            "chinh phu se phong toa thanh pho tu ngay mai",
            "Bán xe máy cũ giá rẻ, liên hệ chủ shop",
        ]
    )
    assert post @ without > 0.7
    assert post @ other < post @ without - 0.3


def test_a_translation_is_closer_than_another_claim() -> None:
    vi, en, other = load_encoder().encode(
        [
            "Cảnh sát đã bắt giữ ba người sau vụ nổ ở nhà ga",
            "Police arrested three people after the explosion at the station",
            "The team won the football match on Sunday",
        ]
    )
    assert vi @ en > vi @ other + 0.2


def damaged(folder: Path, target: Path, change: Callable[[Path], object]) -> Path:
    shutil.copytree(folder, target)
    change(target)
    return target


def edited(**fields: object) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        path = folder / "model.json"
        path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | fields), "utf-8")

    return change


def flip_a_byte(folder: Path) -> None:
    path = folder / "table.safetensors"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def cut_short(folder: Path) -> None:
    path = folder / "tokenizer.json"
    path.write_bytes(path.read_bytes()[:1000])


BROKEN: dict[str, tuple[Callable[[Path], object], type[EncoderError]]] = {
    "one bit flipped": (flip_a_byte, EncoderDamaged),
    "file cut short": (cut_short, EncoderDamaged),
    "file missing": (lambda folder: (folder / "prior.safetensors").unlink(), EncoderDamaged),
    "manifest not JSON": (
        lambda folder: (folder / "model.json").write_text("{", "utf-8"),
        EncoderDamaged,
    ),
    "another kind": (edited(kind="tindon-static-99"), EncoderUnsupported),
    "another dimension": (edited(dim=128), EncoderUnsupported),
    "no checksums": (edited(sha256={}), EncoderDamaged),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_folder_is_one_line_with_the_mend(
    own_folder: Path, tmp_path: Path, case: str
) -> None:
    change, error = BROKEN[case]
    folder = damaged(own_folder, tmp_path / "broken", change)
    with pytest.raises(error) as caught:
        load_encoder(str(folder))
    assert "\n" not in str(caught.value)
    assert any(mend in str(caught.value) for mend in ("again", "reinstall", "upgrade"))


def test_a_folder_of_neither_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderUnsupported, match=r"model\.json"):
        load_encoder(str(tmp_path))


def test_a_name_that_is_not_here_is_one_line_with_the_mend() -> None:
    with pytest.raises(EncoderUnavailable) as caught:
        load_encoder("nobody/no-such-model")
    assert "\n" not in str(caught.value)
    assert "pip install" in str(caught.value) or "folder" in str(caught.value)
