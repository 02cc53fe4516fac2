"""Of equally likely cuts of a word the tokenizer takes the one that the library takes, too."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models

from embeddings.unigram import SPACE, Unigram

# Each letter costs one, so every cut of a word into pieces costs its length.
PIECES = [
    "a",
    "b",
    "c",
    "aa",
    "ab",
    "abc",
    "ba",
    "bc",
    "bca",
    "ca",
    "cab",
    f"{SPACE}a",
    f"{SPACE}ab",
]
VOCAB = [["<unk>", 0.0], [SPACE, -1.0], *([piece, -float(len(piece))] for piece in PIECES)]


def names(unit: str) -> list[str]:
    return [str(VOCAB[number][0]) for number in Unigram(VOCAB, 0).ids(unit)]


@pytest.mark.parametrize(
    ("unit", "cut"),
    [("ab", [f"{SPACE}ab"]), ("bc", [SPACE, "bc"]), ("abc", [SPACE, "abc"]), ("ca", [SPACE, "ca"])],
)
def test_the_earliest_start_of_the_last_piece_wins_a_tie(unit: str, cut: list[str]) -> None:
    assert names(unit) == cut


@given(st.text(alphabet="abc", min_size=1, max_size=20))
def test_ties_are_the_librarys(unit: str) -> None:
    theirs = Tokenizer(models.Unigram([(str(p), float(s)) for p, s in VOCAB], 0))
    assert names(unit) == theirs.encode(SPACE + unit).tokens
