"""Documents to the shape that Elasticsearch keeps, and back without loss.

Fields are named by ECS where it has a name (`@timestamp`, `event.*`, `rule.*`, `message`,
`url.full`), else below `rumor`, `alert`, `triage`, `post`, `trend`. Counts by name become lists of
{name, count}: a strict mapping has no room for names as fields. Absent values are left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from stores.elasticsearch.mappings import DENSE_DIMS
from stores.elasticsearch.names import Document, Kind, ms_of, time_of
from stores.folding import folded
from streams.documents import (
    AlertDocument,
    Exemplar,
    Join,
    Level,
    PostDocument,
    RumorDocument,
    Signal,
    TrendDocument,
    Triage,
    post_key,
)

Shape = dict[str, Any]

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
        raised_at=_ms(kept["@timestamp"]),
        confirmed_at=_ms_or_none(own.get("confirmed_at")),
        raised_by=own["raised_by"],
        languages=[each["name"] for each in rumor["languages"]],
        settings_version=kept["rule"]["version"],
        encoder=own["encoder"],
        merged_into=own.get("merged_into"),
        triage=_triage(kept["triage"]),
        **_common(rumor),
    )


def rumor(kept: Shape) -> RumorDocument:
    rumor = kept["rumor"]
    return RumorDocument(
        rumor_id=rumor["id"],
        version=kept["event"]["sequence"],
        born_at=_ms(rumor["born_at"]),
        languages=_counted(rumor["languages"]),
        micro_clusters=rumor["micro_clusters"],
        timeline=[(at, posts) for at, posts in rumor["timeline"]],
        joins=msgspec.convert(rumor["joins"], list[Join]),
        level=rumor.get("level"),
        alert_id=rumor.get("alert_id"),
        merged_into=rumor.get("merged_into"),
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
        created_at=_ms(kept["@timestamp"]),
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
    return TrendDocument(bucket=_ms(kept["@timestamp"]), version=version, **kept["trend"])


# From what is kept back to documents; documents of older mappings too.
READERS: dict[Kind, Callable[[Shape], Document]] = {
    "alerts": alert,
    "rumors": rumor,
    "posts": post,
    "trends": trend,
}


def _alert_shape(document: AlertDocument) -> Shape:
    return {
        "@timestamp": _iso(document.raised_at),
        "event": {
            "kind": "alert",
            "dataset": "tindon.alerts",
            "id": document.alert_id,
            "sequence": document.version,
            "severity": SEVERITY[document.level],
            "created": _iso(document.raised_at),
        },
        "rule": {"name": f"rumor.{document.level}", "version": document.settings_version},
        "message": document.headline,
        "text_folded": folded(document.headline),
        "triage": {"status": document.status, **_triage_shape(document.triage)},
        "rumor": {
            **_common_shape(document),
            "languages": [{"name": name} for name in document.languages],
        },
        "alert": _present(
            confirmed_at=None if document.confirmed_at is None else _iso(document.confirmed_at),
            raised_by=document.raised_by,
            encoder=document.encoder,
            merged_into=document.merged_into,
        ),
    }


def _triage_shape(triage: Triage) -> Shape:
    kept = _present(**msgspec.to_builtins(triage))
    if triage.decided_at is not None:
        kept["decided_at"] = _iso(triage.decided_at)
    kept["history"] = [{**msgspec.to_builtins(s), "at": _iso(s.at)} for s in triage.history]
    return kept


def _triage(kept: Shape) -> Triage:
    """Back from `_triage_shape`; documents of an older mapping have nothing but a status."""
    fields = {name: value for name, value in kept.items() if name != "status"}
    fields["decided_at"] = _ms_or_none(kept.get("decided_at"))
    fields["history"] = [{**s, "at": _ms(s["at"])} for s in kept.get("history", [])]
    return msgspec.convert(fields, Triage)


def _rumor_shape(document: RumorDocument) -> Shape:
    dense: Shape = {}
    if document.vector:
        dense["vector"] = document.vector.hex()
    if comparable(document.vector):
        dense["dense"] = {dense_field(document.vector).rpartition(".")[2]: dense["vector"]}
    return {
        "@timestamp": _iso(document.updated_at),
        "event": {"kind": "state", "sequence": document.version},
        "message": document.headline,
        "text_folded": folded(document.headline),
        "rumor": {
            **_common_shape(document),
            **_present(alert_id=document.alert_id, merged_into=document.merged_into),
            "born_at": _iso(document.born_at),
            "languages": _counts(document.languages),
            "micro_clusters": document.micro_clusters,
            "timeline": document.timeline,
            "joins": msgspec.to_builtins(document.joins),
            "open": document.open,
            **dense,
        },
    }


def _post_shape(document: PostDocument) -> Shape:
    kept: Shape = {
        "@timestamp": _iso(document.created_at),
        "event": {"kind": "event", "sequence": document.version},
        "message": document.text,
        "text_folded": folded(document.text),
        "rumor": {"id": document.rumor_id, "micro_cluster_id": document.micro_cluster_id},
        "post": _present(
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
        "@timestamp": _iso(kept.pop("bucket")),
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
        "first_post_at": _iso(document.first_post_at),
        "last_post_at": _iso(document.last_post_at),
        "updated_at": _iso(document.updated_at),
        "platforms": _counts(document.platforms),
        "communities": _counts(document.communities),
        "score": document.score,
        "signals": msgspec.to_builtins(document.signals),
        "exemplars": [
            {**msgspec.to_builtins(each), "created_at": _iso(each.created_at)}
            for each in document.exemplars
        ],
        **_present(level=document.level, category=document.category),
    }


def _common(rumor: Shape) -> Shape:
    """Back from `_common_shape`, but for id and level."""
    return {
        "event_id": rumor["event_id"],
        "headline": rumor["headline"],
        "posts": rumor["posts"],
        "voices": rumor["voices"],
        "reach": rumor["reach"],
        "first_post_at": _ms(rumor["first_post_at"]),
        "last_post_at": _ms(rumor["last_post_at"]),
        "updated_at": _ms(rumor["updated_at"]),
        "platforms": _counted(rumor["platforms"]),
        "communities": _counted(rumor["communities"]),
        "score": float(rumor["score"]),
        "signals": msgspec.convert(rumor["signals"], list[Signal]),
        "exemplars": [
            Exemplar(**{**each, "created_at": _ms(each["created_at"])})
            for each in rumor["exemplars"]
        ],
        "category": rumor.get("category"),
    }


def _present(**values: Any) -> Shape:
    return {name: value for name, value in values.items() if value is not None}


def _counts(counts: dict[str, int]) -> list[Shape]:
    return [{"name": name, "count": count} for name, count in counts.items()]


def _counted(counts: list[Shape]) -> dict[str, int]:
    return {each["name"]: each["count"] for each in counts}


def _iso(ms: int) -> str:
    return time_of(ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _ms(iso: str) -> int:
    return ms_of(datetime.fromisoformat(iso))


def _ms_or_none(iso: str | None) -> int | None:
    return None if iso is None else _ms(iso)
