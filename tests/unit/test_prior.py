"""The shipped prior fits the features and the encoder of this version."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from embeddings import load_encoder
from embeddings.encoder import SHIPPED, EncoderDamaged, EncoderUnsupported
from embeddings.features import features
from embeddings.normalise import clean, fold
from embeddings.prior import load_prior
from embeddings.safetensor_file import read_arrays, write_arrays
from streams.grid import FREQUENCY_BITS


def frequency(word: str) -> int:
    prior = load_prior()
    cell = features([fold(clean(word))])[1][:1] & np.uint32((1 << FREQUENCY_BITS) - 1)
    place = int(np.searchsorted(prior.cells, cell[0]))
    found = place < len(prior.cells) and prior.cells[place] == cell[0]
    return int(prior.frequency[place]) if found else 0


def test_shapes_and_bounds() -> None:
    prior = load_prior()
    assert prior.cells.shape == prior.frequency.shape
    assert (np.diff(prior.cells.astype(np.int64)) > 0).all()
    assert int(prior.cells[-1]) < 1 << FREQUENCY_BITS
    assert 0 < int(prior.frequency.max()) <= prior.posts
    assert prior.mean.shape == (load_encoder().dim,)
    assert 0 < float(np.linalg.norm(prior.mean)) < 1


def test_function_words_are_common_and_topical_words_rare() -> None:
    # Words of at most four letters: one feature each.
    for common, rare in (("là", "ngập"), ("the", "dam"), ("của", "cháy"), ("is", "bomb")):
        assert frequency(common) > 10 * max(frequency(rare), 1), (common, rare)


def test_a_damaged_or_foreign_prior_is_one_line_with_the_mend(tmp_path: Path) -> None:
    with pytest.raises(EncoderDamaged, match="reinstall"):
        load_prior(tmp_path)
    shutil.copy(SHIPPED / "prior.safetensors", tmp_path)
    arrays, made = read_arrays(SHIPPED / "prior.safetensors")
    write_arrays(tmp_path / "prior.safetensors", arrays, made | {"features_version": "0"})
    with pytest.raises(EncoderUnsupported, match="--again prior"):
        load_prior(tmp_path)
