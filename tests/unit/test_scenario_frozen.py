"""The built-in scenario's texts as they were before alerts were tuned on them."""

from __future__ import annotations

import hashlib

import pytest

from streams.sources import scenario

FROZEN = {
    "main": "5a609cbf0ec44acac38cf22a24d6ff40c3e81c70b61aa38b5a56fb639395da03",
    "second": "0aada7efe951149d8a78a185a50e9facaac814a1c1776f0115a4d4a6cfb7cfdd",
}


@pytest.mark.parametrize("bank", sorted(FROZEN))
def test_texts_are_those_of_before_the_tuning(bank: str) -> None:
    texts = "\n".join(post["text"] for post in scenario.generate(7, bank=bank))
    assert hashlib.sha256(texts.encode()).hexdigest() == FROZEN[bank], (
        "the scenario's texts changed: figures on it no longer compare, and must be made again"
    )
