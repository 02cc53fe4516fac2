"""Features are the same in every process and for every batch, and mean what the document says."""

import os
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embeddings.features import (
    CACHE_WORDS,
    MAX_CHARS,
    _cache,
    features,
    shortened,
    wording,
    words_of,
)
from embeddings.normalise import clean, fold

REPOSITORY = Path(__file__).resolve().parents[2]


def names(text: str, *wanted: str) -> None:
    """Assert that the features of a text are exactly those of the wanted strings."""
    _, hashes, _ = features([text])
    assert sorted(set(hashes.tolist())) == sorted({zlib.crc32(name.encode()) for name in wanted})


def test_short_words_pair_and_long_words_have_grams() -> None:
    names("dap sap vo", "dap", "sap", "vo", "dap_sap", "sap_vo")
    names("dam breaks", "dam", "breaks", "%<bre", "%brea", "%reak", "%eaks", "%aks>")


def test_single_letters_take_no_part_but_are_reached_over() -> None:
    names("tin k that", "tin", "that", "tin_that")
    names("a b c")


def test_scripts_without_spaces_have_character_pairs() -> None:
    names("大坝要塌", "大坝要塌", "%大坝", "%坝要", "%要塌")


def test_features_of_the_first_release_do_not_change() -> None:
    ends, hashes, counts = features(
        ["dap thuy dien sap vo sap vo", "the dam is about to break", ""]
    )
    assert ends.tolist() == GOLDEN_ENDS
    assert zlib.crc32(hashes.tobytes()) == GOLDEN_HASHES
    assert zlib.crc32(counts.tobytes()) == GOLDEN_COUNTS
    assert wording(["dap", "sap", "vo"]) == GOLDEN_WORDING


GOLDEN_ENDS = [10, 26, 26]
GOLDEN_HASHES = 2_608_617_373
GOLDEN_COUNTS = 4_255_613_737
GOLDEN_WORDING = 7_419_884_450_372_937_076


def test_counts_are_of_the_post_and_end_at_255() -> None:
    _, hashes, counts = features(["vo " * 199, "vo vo"])
    by_hash = dict(zip(hashes[:2].tolist(), counts[:2].tolist(), strict=True))
    assert by_hash[zlib.crc32(b"vo")] == 199
    assert features(["ab " * 600])[2].max() <= 255
    assert len(hashes) == 4 and counts[2:].tolist() in ([1, 2], [2, 1])


TEXTS = st.lists(st.text(st.sampled_from("abcdeo đạ 大坝1'_-"), max_size=40), max_size=8)


@settings(max_examples=200)
@given(TEXTS)
def test_a_post_has_the_same_features_whatever_stands_beside_it(texts: list[str]) -> None:
    ends, hashes, counts = features(texts)
    assert ends.dtype == np.int64 and hashes.dtype == np.uint32 and counts.dtype == np.uint8
    start = 0
    for text, end in zip(texts, ends.tolist(), strict=True):
        _, alone, alone_counts = features([text])
        assert hashes[start:end].tolist() == alone.tolist() == sorted(set(alone.tolist()))
        assert counts[start:end].tolist() == alone_counts.tolist()
        start = end
    assert start == len(hashes)


def test_no_posts_have_no_features() -> None:
    ends, hashes, counts = features([])
    assert len(ends) == len(hashes) == len(counts) == 0


def test_the_word_cache_changes_nothing_when_it_overflows() -> None:
    text = "dap thuy dien sap vo"
    before = features([text])[1].tolist()
    for start in range(0, CACHE_WORDS + 50, 50):  # no more of a text are read
        features([" ".join(f"w{number}" for number in range(start, start + 50))])
        assert len(_cache) <= CACHE_WORDS
    assert features([text])[1].tolist() == before


def test_another_process_finds_the_same_hashes() -> None:
    code = (
        "from embeddings.features import *;"
        "print(features(['dap sap vo'])[1].tolist(), wording(['a', 'b']))"
    )
    here = f"{features(['dap sap vo'])[1].tolist()} {wording(['a', 'b'])}"
    there = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONHASHSEED": "12345"},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    assert there.stdout.strip() == here


def test_long_posts_are_cut_at_a_word() -> None:
    text = "tin " * 400
    assert len(shortened(text)) <= MAX_CHARS
    assert shortened(text).endswith("tin")
    assert len(shortened("x" * 5000)) == MAX_CHARS
    assert shortened("ngan") == "ngan"


@pytest.mark.parametrize(
    "copy",
    [
        "Đập thủy điện sắp vỡ!!!",
        "dap thuy dien sap vo",
        "RT @ban: Đập thủy điện SẮP VỠ 😱 https://t.example/x",
        "đập thủyyyyy điện sắp vỡ… via @bao",
        "#Đập thủy điện - sắp vỡ",
    ],
)
def test_near_copies_have_one_wording(copy: str) -> None:
    def of(text: str) -> int:
        return wording(words_of(fold(clean(text))))

    assert of(copy) == of("đập thủy điện sắp vỡ")
    assert of(copy) != of("đập thủy điện vỡ sắp")


def test_a_text_without_words_has_no_wording() -> None:
    assert wording([]) == 0
    assert wording(words_of(fold(clean("😱 !!! https://t.example/x")))) == 0
