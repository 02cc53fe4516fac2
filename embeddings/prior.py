"""The document frequencies and the mean row that a stream starts from, as shipped with a model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from embeddings.encoder import SHIPPED, EncoderDamaged, EncoderUnsupported
from embeddings.features import FEATURES_VERSION
from embeddings.safetensor_file import SafetensorError, read_arrays
from streams.grid import FREQUENCY_BITS


@dataclass(frozen=True)
class Prior:
    """What ``posts`` unlabelled posts held; arrays are read-only.

    ``cells`` uint32 (k,), ascending, are hashes of lexical features modulo 2**FREQUENCY_BITS;
    ``frequency`` uint16 (k,) the posts that held one; ``mean`` float32 (dim,) the mean dense row.
    """

    cells: np.ndarray
    frequency: np.ndarray
    posts: int
    mean: np.ndarray


def load_prior(folder: Path = SHIPPED) -> Prior:
    """The prior of a Tindon model folder.

    Raises EncoderDamaged when it cannot be read, EncoderUnsupported when it was counted with
    other features than this version extracts.
    """
    path = folder / "prior.safetensors"
    try:
        arrays, made = read_arrays(path)
        prior = Prior(arrays["cells"], arrays["frequency"], int(arrays["posts"][0]), arrays["mean"])
    except (OSError, SafetensorError, KeyError) as error:
        raise EncoderDamaged(f"{path} is unreadable ({error}); reinstall tindon") from error
    wanted = {"frequency_bits": str(FREQUENCY_BITS), "features_version": str(FEATURES_VERSION)}
    if made != wanted:
        raise EncoderUnsupported(
            f"{path} was counted with other features ({made}, not {wanted});"
            " run `python -m embeddings.train --again prior`"
        )
    return prior
