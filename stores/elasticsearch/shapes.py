"""Documents to the shape that Elasticsearch keeps, and back without loss.

Fields are named by ECS where it has a name (`@timestamp`, `event.*`, `rule.*`, `message`,
`url.full`), else below `rumor`, `alert`, `triage`, `post`, `trend`, `claim`, `audit`. Counts by name
become lists of {name, count}: a strict mapping has no room for names as fields. Absent values are
left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec

from stores.elasticsearch.desk_shapes import (
    audit,
    audit_shape,
    claim,
    claim_shape,
    triage,
    triage_shape,
)
from stores.elasticsearch.durations import durations
from stores.elasticsearch.mappings import DENSE_DIMS
from stores.elasticsearch.names import Document, Kind
from stores.elasticsearch.values import Shape, iso, iso_or_none, ms, ms_or_none, present
from stores.folding import folded
from streams.documents import (
    AlertDocument,
    AuditDocument,
    ClaimDocument,
    Exemplar,
    Join,
    Level,
    PostDocument,
    RumorDocument,
    Signal,
    Split,
    TrendDocument,
    post_key,
)

SEVERITY: dict[Level, int] = {"suggest": 47, "confirm": 73}  # medium, high on Elastic's 0-100 scale


def comparable(vector: bytes) -> bool:
    """Whether a rumor's vector can be indexed: of a length that is mapped, and not zero."""
    return len(vector) in DENSE_DIMS and any(vector)


def dense_field(vector: bytes) -> str:
    """The field in which vectors of that length are indexed."""
    return f"rumor.dense.d{len(vector)}"


class ShapeError(ValueError):
    """The document cannot be kept; the message says which value and why."""


def shape(document: Document) -> Shape:
    """What is kept of a document. Raises ShapeError for a value that JSON or dates cannot hold."""
    try:
        match document:
            case AlertDocument():
                return _alert_shape(document)
            case RumorDocument():
                return _rumor_shape(document)
            case PostDocument():
                return _post_shape(document)
            case TrendDocument():
                return _trend_shape(document)
            case ClaimDocument():
                return claim_shape(document)
            case AuditDocument():
                return audit_shape(document)
    except OverflowError:
        raise ShapeError("a time lies outside the years 1 to 9999") from None


def alert(kept: Shape) -> AlertDocument:
    event, rumor, own = kept["event"], kept["rumor"], kept["alert"]
    return AlertDocument(
        alert_id=event["id"],
        version=event["sequence"],
        rumor_id=rumor["id"],
        level=rumor["level"],
        status=kept["triage"]["status"],
        raised_at=ms(kept["@timestamp"]),
        confirmed_at=ms_or_none(own.get("confirmed_at")),
        raised_by=own["raised_by"],
        languages=[each["name"] for each in rumor["languages"]],
        settings_version=kept["rule"]["version"],
        encoder=own["encoder"],
        merged_into=own.get("merged_into"),
        covers=list(own.get("covers", [])),
        waited_ms=own.get("waited_ms", 0),
        triage=triage(kept["triage"]),
        **_common(rumor),
    )


def rumor(kept: Shape) -> RumorDocument:
    rumor = kept["rumor"]
    return RumorDocument(
        rumor_id=rumor["id"],
        version=kept["event"]["sequence"],
        born_at=ms(rumor["born_at"]),
        languages=_counted(rumor["languages"]),
        micro_clusters=rumor["micro_clusters"],
        timeline=[(at, posts) for at, posts in rumor["timeline"]],
        joins=msgspec.convert(rumor["joins"], list[Join]),
        splits=msgspec.convert(rumor.get("splits", []), list[Split]),
        level=rumor.get("level"),
        alert_id=rumor.get("alert_id"),
        merged_into=rumor.get("merged_into"),
        covered_by=rumor.get("covered_by"),
        waiting_since=ms_or_none(rumor.get("waiting_since")),
        open=rumor["open"],
        vector=bytes.fromhex(rumor.get("vector", "")),
        **_common(rumor),
    )


def post(kept: Shape) -> PostDocument:
    own = kept["post"]
    return PostDocument(
        source=own["source"],
        post_id=own["id"],
        version=kept["event"]["sequence"],
        rumor_id=kept["rumor"]["id"],
        micro_cluster_id=kept["rumor"]["micro_cluster_id"],
        created_at=ms(kept["@timestamp"]),
        text=kept["message"],
        lang=own["language"],
        platform=own.get("platform"),
        community=own.get("community"),
        url=kept["url"]["full"] if "url" in kept else None,
        reply_to=own.get("reply_to"),
        repost_of=own.get("repost_of"),
        kind=own["kind"],
        flags=own["flags"],
        reach=own["reach"],
    )


def trend(kept: Shape) -> TrendDocument:
    version = kept["event"]["sequence"]
    return TrendDocument(bucket=ms(kept["@timestamp"]), version=version, **kept["trend"])


# From what is kept back to documents; documents of older mappings too.
READERS: dict[Kind, Callable[[Shape], Document]] = {
    "alerts": alert,
    "rumors": rumor,
    "posts": post,
    "trends": trend,
    "claims": claim,
    "audit": audit,
}


def _alert_shape(document: AlertDocument) -> Shape:
    return {
        "@timestamp": iso(document.raised_at),
        "event": {
            "kind": "alert",
            "dataset": "tindon.alerts",
            "id": document.alert_id,
            "sequence": document.version,
            "severity": SEVERITY[document.level],
            "created": iso(document.raised_at),
        },
        "rule": {"name": f"rumor.{document.level}", "version": document.settings_version},
        "message": document.headline,
        "text_folded": folded(document.headline),
        "triage": {"status": document.status, **triage_shape(document.triage)},
        "rumor": {
            **_common_shape(document),
            "languages": [{"name": name} for name in document.languages],
        },
        "alert": present(
            confirmed_at=iso_or_none(document.confirmed_at),
            **durations(document),
            raised_by=document.raised_by,
            encoder=document.encoder,
            merged_into=document.merged_into,
            covers=document.covers,
            waited_ms=document.waited_ms,
        ),
    }


def _rumor_shape(document: RumorDocument) -> Shape:
    dense: Shape = {}
    if document.vector:
        dense["vector"] = document.vector.hex()
    if comparable(document.vector):
        dense["dense"] = {dense_field(document.vector).rpartition(".")[2]: dense["vector"]}
    return {
        "@timestamp": iso(document.updated_at),
        "event": {"kind": "state", "sequence": document.version},
        "message": document.headline,
        "text_folded": folded(document.headline),
        "rumor": {
            **_common_shape(document),
            **present(
                alert_id=document.alert_id,
                merged_into=document.merged_into,
                covered_by=document.covered_by,
                waiting_since=iso_or_none(document.waiting_since),
            ),
            "born_at": iso(document.born_at),
            "languages": _counts(document.languages),
            "micro_clusters": document.micro_clusters,
            "timeline": document.timeline,
            "joins": msgspec.to_builtins(document.joins),
            "splits": msgspec.to_builtins(document.splits),
            "open": document.open,
            **dense,
        },
    }


def _post_shape(document: PostDocument) -> Shape:
    kept: Shape = {
        "@timestamp": iso(document.created_at),
        "event": {"kind": "event", "sequence": document.version},
        "message": document.text,
        "text_folded": folded(document.text),
        "rumor": {"id": document.rumor_id, "micro_cluster_id": document.micro_cluster_id},
        "post": present(
            key=post_key(document.source, document.post_id),
            source=document.source,
            id=document.post_id,
            language=document.lang,
            platform=document.platform,
            community=document.community,
            reply_to=document.reply_to,
            repost_of=document.repost_of,
            kind=document.kind,
            flags=document.flags,
            reach=document.reach,
        ),
    }
    if document.url is not None:
        kept["url"] = {"full": document.url}
    return kept


def _trend_shape(document: TrendDocument) -> Shape:
    kept = msgspec.to_builtins(document)
    return {
        "@timestamp": iso(kept.pop("bucket")),
        "event": {"kind": "metric", "sequence": kept.pop("version")},
        "trend": kept,
    }


def _common_shape(document: RumorDocument | AlertDocument) -> Shape:
    """What alerts and rumors share, below `rumor`."""
    numbers = [document.score]
    numbers += [number for each in document.signals for number in (each.value, each.threshold)]
    if not all(map(math.isfinite, numbers)):
        raise ShapeError("the score or a signal is not a finite number")
    return {
        "id": document.rumor_id,
        "event_id": document.event_id,
        "headline": document.headline,
        "posts": document.posts,
        "voices": document.voices,
        "reach": document.reach,
        "first_post_at": iso(document.first_post_at),
        "last_post_at": iso(document.last_post_at),
        "updated_at": iso(document.updated_at),
        "platforms": _counts(document.platforms),
        "communities": _counts(document.communities),
        "score": document.score,
        "signals": msgspec.to_builtins(document.signals),
        "signal": {each.name: each.value for each in document.signals},
        "reasons": [
            f"{each.name} {each.value:g} ≥ {each.threshold:g}"
            for each in document.signals
            if each.value >= each.threshold
        ],
        "exemplars": [
            {**msgspec.to_builtins(each), "created_at": iso(each.created_at)}
            for each in document.exemplars
        ],
        **present(level=document.level, category=document.category),
        "category_confidence": document.category_confidence,
    }


def _common(rumor: Shape) -> Shape:
    """Back from `_common_shape`, but for id and level."""
    return {
        "event_id": rumor["event_id"],
        "headline": rumor["headline"],
        "posts": rumor["posts"],
        "voices": rumor["voices"],
        "reach": rumor["reach"],
        "first_post_at": ms(rumor["first_post_at"]),
        "last_post_at": ms(rumor["last_post_at"]),
        "updated_at": ms(rumor["updated_at"]),
        "platforms": _counted(rumor["platforms"]),
        "communities": _counted(rumor["communities"]),
        "score": float(rumor["score"]),
        "signals": msgspec.convert(rumor["signals"], list[Signal]),
        "exemplars": [
            Exemplar(**{**each, "created_at": ms(each["created_at"])})
            for each in rumor["exemplars"]
        ],
        "category": rumor.get("category"),
        "category_confidence": rumor.get("category_confidence", 0.0),
    }


def _counts(counts: dict[str, int]) -> list[Shape]:
    return [{"name": name, "count": count} for name, count in counts.items()]


def _counted(counts: list[Shape]) -> dict[str, int]:
    return {each["name"]: each["count"] for each in counts}
