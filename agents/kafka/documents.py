"""Documents as messages of the topic `alerts`: one key a document: compaction keeps the newest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from streams.codec import CodecError, decode, encode
from streams.documents import (
    AlertDocument,
    AuditDocument,
    Batch,
    ClaimDocument,
    PostDocument,
    RumorDocument,
    TrendDocument,
    post_key,
)

Document = (
    RumorDocument | AlertDocument | PostDocument | TrendDocument | ClaimDocument | AuditDocument
)
Kind = Literal["rumor", "alert", "post", "trend", "claim", "audit"]


class Envelope(msgspec.Struct, frozen=True):
    """What a message says of its document before the document is read."""

    kind: Kind
    version: int
    document: msgspec.Raw


_TYPES: dict[Kind, type[Document]] = {
    "rumor": RumorDocument,
    "alert": AlertDocument,
    "post": PostDocument,
    "trend": TrendDocument,
    "claim": ClaimDocument,
    "audit": AuditDocument,
}
_KINDS: dict[type[Document], Kind] = {of: kind for kind, of in _TYPES.items()}
_decoders = {kind: msgspec.msgpack.Decoder(of) for kind, of in _TYPES.items()}
_body = msgspec.msgpack.Encoder().encode


def messages(*batches: Batch) -> Iterator[tuple[bytes, bytes]]:
    """Key and value of each document, the last one of its key in the batches' order.

    Posts and rumors come before the alerts that point at them.
    """
    names = ("posts", "rumors", "alerts", "trends", "claims", "audits")
    for name in names:
        newest = {key_of(one): one for batch in batches for one in getattr(batch, name)}
        for key, document in newest.items():
            yield key.encode(), pack(document)


def key_of(document: Document) -> str:
    match document:
        case RumorDocument():
            return f"rumor:{document.rumor_id}"
        case AlertDocument():
            return f"alert:{document.alert_id}"
        case PostDocument():
            return f"post:{post_key(document.source, document.post_id)}"
        case TrendDocument():
            return f"trend:{document.bucket}/{document.language}/{document.platform}/{document.category}"
        case ClaimDocument():
            return f"claim:{document.claim_id}"
        case AuditDocument():
            return f"audit:{document.action_id}"


def pack(document: Document) -> bytes:
    body = msgspec.Raw(_body(document))
    return encode(Envelope(_KINDS[type(document)], document.version, body))


def unpack(value: bytes) -> Document:
    """The document in a message. Raises CodecError."""
    envelope = decode(value, Envelope)
    try:
        document: Document = _decoders[envelope.kind].decode(envelope.document)
    except msgspec.DecodeError as error:
        raise CodecError(f"the document does not fit its form: {error}") from None
    return document


def batches(documents: Iterable[Document], most: int) -> Iterator[Batch]:
    """The newest version of each document, in portions of at most `most`."""
    newest: dict[str, Document] = {}
    for document in documents:
        key = key_of(document)
        stands = newest.get(key)
        if stands is None or document.version >= stands.version:
            newest[key] = document
    chosen = list(newest.values())
    for at in range(0, len(chosen), most):
        part = chosen[at : at + most]
        yield Batch(
            rumors=[d for d in part if isinstance(d, RumorDocument)],
            alerts=[d for d in part if isinstance(d, AlertDocument)],
            posts=[d for d in part if isinstance(d, PostDocument)],
            trends=[d for d in part if isinstance(d, TrendDocument)],
            claims=[d for d in part if isinstance(d, ClaimDocument)],
            audits=[d for d in part if isinstance(d, AuditDocument)],
        )
