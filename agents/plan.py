"""What a front is made of. The child of a replay is told this, and needs no settings to be read again."""

from __future__ import annotations

import msgspec

from clusters import ClusterFold, ClusterParameters
from config.taxonomy import Taxonomy
from embeddings.door import NO_ENCODER, Door
from embeddings.encoder import SHIPPED, SHIPPED_NAME, Encoder, load_encoder
from streams.validation import IntakeRules


class FrontPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Parts of the embed stage and of the cluster fold, as settings ask for them."""

    encoder: str  # as `embed.encoder` names it
    key: bytes  # of the authors' pseudonyms
    rules: IntakeRules
    taxonomy: Taxonomy
    max_text: int  # characters
    cluster: ClusterParameters


def encoder_named(name: str) -> Encoder | None:
    """The encoder of a name; None for `none`, and while no model is shipped. Raises EncoderError."""
    if name == NO_ENCODER:
        return None
    if name == SHIPPED_NAME:
        return load_encoder() if SHIPPED.is_dir() else None
    return load_encoder(name)


def door_of(plan: FrontPlan, encoder: Encoder | None) -> Door:
    return Door(
        key=plan.key,
        rules=plan.rules,
        encoder=encoder,
        taxonomy=plan.taxonomy,
        max_text=plan.max_text,
    )


def cluster_of(parameters: ClusterParameters, door: Door, partition: int = 0) -> ClusterFold:
    return ClusterFold(parameters, encoder=door.identity, dim=door.dim, partition=partition)
