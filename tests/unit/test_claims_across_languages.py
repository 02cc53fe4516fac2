"""Across languages only meaning is left, and every claim has a nearest rumor: it must lead the others."""

from __future__ import annotations

import numpy as np
import pytest

from alerts.claims import CLAIM_LEAD, Claims
from alerts.micros import Micros
from alerts.parameters import AlertParameters
from alerts.rumor import Rumor
from streams.grid import GRID
from streams.inputs import ClaimRecord
from streams.records import MicroDelta

DIM = 8
PARAMETERS = AlertParameters(claim_offer=0.42, claim_certain=0.60)


def row(*parts: float) -> np.ndarray:
    made = np.zeros(DIM, np.float32)
    made[: len(parts)] = parts
    return made / np.linalg.norm(made)


RUMOR = row(1.0)


def near(cosine: float, side: int) -> np.ndarray:
    """A direction with that cosine to the rumor's, turned towards an axis."""
    made = np.zeros(DIM, np.float32)
    made[0], made[side] = cosine, np.sqrt(1 - cosine**2)
    return made


def micros() -> Micros:
    """A rumor, and its opposite, so that the stream's mean is zero."""
    held = Micros(DIM, 0.3)
    nothing = np.zeros(0, np.int32)
    dense = np.rint(np.stack([RUMOR, -RUMOR]) * GRID).astype(np.int32)
    held.add(
        MicroDelta(
            id=["m1", "m2"], dense=dense, feature_ends=np.zeros(2, np.int64),
            features=np.zeros(0, np.uint32), feature_sums=nothing, feature_posts=nothing,
            vectors=np.ones(2, np.int32),
        )
    )  # fmt: skip
    held.rumor[0] = 0
    return held


def met(*dense: np.ndarray, lang: str = "en", spoken: str = "vi") -> str | None:
    claims = Claims("directions")
    for number, one in enumerate(dense):
        told = claims.bring(
            ClaimRecord(
                id=f"x{number}", claim=f"c{number}", who="Mai", at=0, texts=["told"], lang=[lang],
                encoder="directions", feature_ends=np.zeros(1, np.int64), features=np.zeros(0, np.uint32),
                feature_counts=np.zeros(0, np.uint8), dense=one[None, :], verdict="fake",
            ),
            1,
        )  # fmt: skip
        assert not isinstance(told, str)
    rumor = Rumor(
        number=0, id="r", event=0, born_at=0, first_at=0, last_at=0, languages={spoken: 3}
    )
    match = claims.match(rumor, micros(), PARAMETERS)
    return match.claim_id if match else None


@pytest.mark.parametrize(
    ("own", "rival", "found"),
    [
        (0.80, 0.20, "c0"),
        (0.80, 0.80 - CLAIM_LEAD - 0.02, "c0"),
        (0.80, 0.80 - CLAIM_LEAD + 0.02, None),
        (0.50, 0.48, None),
        (0.30, 0.10, None),  # below the offer
    ],
)
def test_a_claim_must_lead_the_others(own: float, rival: float, found: str | None) -> None:
    assert met(near(own, 1), near(rival, 2)) == found


def test_one_claim_out_of_two_sources_is_no_rival_of_itself() -> None:
    assert met(near(0.80, 1), near(0.79, 1)) == "c0"


def test_in_one_language_no_lead_is_asked_for() -> None:
    """Two thirds of the cosine: the words, of which there are none, make the rest."""
    assert met(near(0.70, 1), near(0.69, 2), lang="vi") == "c0"
    assert met(near(0.70, 1), near(0.69, 2), lang="und") == "c0"
