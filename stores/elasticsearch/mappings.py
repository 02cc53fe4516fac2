"""The mappings: strict, so that an unknown field is refused instead of guessed.

Only types that every distribution of Elasticsearch has, and no analyser but `whitespace`: text that
is searched is folded by `stores.folding` before it is sent.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from stores.elasticsearch.names import Kind
from stores.folding import FOLDING_VERSION

MAPPING_VERSION = 8  # raise with every change below

Mapping = dict[str, Any]

LONG: Mapping = {"type": "long"}
DOUBLE: Mapping = {"type": "double"}
DATE: Mapping = {"type": "date"}
BOOLEAN: Mapping = {"type": "boolean"}
# Lucene's longest term is 32,766 bytes; longer values stay in the document but are not indexed.
KEYWORD: Mapping = {"type": "keyword", "ignore_above": 8191}
TEXT: Mapping = {"type": "text"}
# Found by all of its words in any order: neither length nor place nor number of the words counts.
FOLDED: Mapping = {
    "type": "text",
    "analyzer": "whitespace",
    "norms": False,
    "index_options": "docs",
}
NOT_INDEXED: Mapping = {"type": "keyword", "index": False, "doc_values": False}
NOT_PARSED: Mapping = {"type": "object", "enabled": False}
# Dimensions of the encoders in use (shipped: 256). Rumors of an encoder with others are kept, and
# not compared.
DENSE_DIMS = (256, 384, 512, 768, 1024)


def _fields(**fields: Mapping) -> Mapping:
    return {"properties": fields}


def _dense(dims: int) -> Mapping:
    """int8 values for the nearest by cosine, compared one by one: a rumor is written again and again
    while it grows, and a graph would be built each time for a question that is seldom asked."""
    return {
        "type": "dense_vector",
        "element_type": "byte",
        "dims": dims,
        "index": True,
        "similarity": "cosine",
        "index_options": {"type": "flat"},
    }


COUNTED = _fields(name=KEYWORD, count=LONG)
# Shown, and never asked for: leaving them out of the index halves what a rumor costs to write.
EXEMPLARS = _fields(
    source=NOT_INDEXED,
    post_id=NOT_INDEXED,
    text=NOT_INDEXED,
    created_at={**DATE, "index": False, "doc_values": False},
    why=NOT_INDEXED,
)

# What several kinds share: component templates, by name.
_BASE: dict[str, Mapping] = {"@timestamp": DATE, "event": _fields(kind=KEYWORD, sequence=LONG)}
_RUMOR: dict[str, Mapping] = {
    "id": KEYWORD,
    "event_id": KEYWORD,
    "headline": {**TEXT, "fields": {"keyword": KEYWORD}},
    "posts": LONG,
    "voices": LONG,
    "reach": LONG,
    "first_post_at": DATE,
    "last_post_at": DATE,
    "updated_at": DATE,
    "languages": COUNTED,
    "platforms": COUNTED,
    "communities": COUNTED,
    "score": DOUBLE,
    "signals": NOT_PARSED,  # whole, for those who read the document
    # For panels: one column a signal, named by it, and the signals that reached their threshold.
    "signal": {"type": "object", "dynamic": True},
    "reasons": KEYWORD,
    "exemplars": EXEMPLARS,
    "level": KEYWORD,
    "category": KEYWORD,
    "category_confidence": DOUBLE,
}

_RUMORS: dict[str, Mapping] = {
    "rumor": _fields(
        born_at=DATE,
        micro_clusters=LONG,
        timeline=NOT_PARSED,
        joins=NOT_PARSED,
        splits=NOT_PARSED,
        alert_id=KEYWORD,
        merged_into=KEYWORD,
        covered_by=KEYWORD,
        waiting_since=DATE,
        open=BOOLEAN,
        # The vector twice: some servers leave indexed vectors out of the document that they return.
        vector=NOT_INDEXED,
        dense=_fields(**{f"d{dims}": _dense(dims) for dims in DENSE_DIMS}),
    ),
}
_ALERTS: dict[str, Mapping] = {
    "event": _fields(id=KEYWORD, severity=LONG, created=DATE, dataset=KEYWORD),
    "rule": _fields(name=KEYWORD, version=KEYWORD),
    "triage": _fields(
        status=KEYWORD,
        assignee=KEYWORD,
        verdict=KEYWORD,
        decided_by=KEYWORD,
        decided_at=DATE,
        links=KEYWORD,
        correction=TEXT,
        correction_link=KEYWORD,
        reopened=LONG,
        muted=BOOLEAN,
        returned=BOOLEAN,
        match=_fields(
            claim_id=KEYWORD,
            similarity=DOUBLE,
            certain=BOOLEAN,
            text=TEXT,
            verdict=KEYWORD,
            source=KEYWORD,
            published_at=DATE,
            correction=TEXT,
            link=KEYWORD,
        ),
        history=_fields(at=DATE, who=KEYWORD, deed=KEYWORD, why=TEXT, status=KEYWORD),
    ),
    "alert": _fields(
        confirmed_at=DATE,
        seconds_to_raise=LONG,
        seconds_to_acknowledge=LONG,
        seconds_to_verdict=LONG,
        seconds_to_correction=LONG,
        raised_by=KEYWORD,
        encoder=KEYWORD,
        merged_into=KEYWORD,
        covers=KEYWORD,
        waited_ms=LONG,
    ),
}
_POSTS: dict[str, Mapping] = {
    "message": TEXT,
    "text_folded": FOLDED,
    "url": _fields(full=KEYWORD),
    "rumor": _fields(id=KEYWORD, micro_cluster_id=KEYWORD),
    "post": _fields(
        key=KEYWORD,
        source=KEYWORD,
        id=KEYWORD,
        language=KEYWORD,
        platform=KEYWORD,
        community=KEYWORD,
        reply_to=KEYWORD,
        repost_of=KEYWORD,
        kind=KEYWORD,
        flags=KEYWORD,
        reach=LONG,
    ),
}
_TRENDS: dict[str, Mapping] = {
    "trend": _fields(
        language=KEYWORD,
        platform=KEYWORD,
        category=KEYWORD,
        posts=LONG,
        alerts_suggest=LONG,
        alerts_confirm=LONG,
    ),
}
_CLAIMS: dict[str, Mapping] = {
    "message": TEXT,
    "claim": _fields(
        id=KEYWORD,
        texts=_fields(text=TEXT, lang=KEYWORD),
        verdict=KEYWORD,
        rating=KEYWORD,
        source=KEYWORD,
        published_at=DATE,
        correction=TEXT,
        link=KEYWORD,
        origin=KEYWORD,
        alert_id=KEYWORD,
        encoder=KEYWORD,
        muted=BOOLEAN,
        returned=LONG,
    ),
}
_AUDIT: dict[str, Mapping] = {
    "event": _fields(id=KEYWORD, action=KEYWORD, outcome=KEYWORD, reason=TEXT),
    "message": TEXT,
    "audit": _fields(
        who=KEYWORD,
        subject=KEYWORD,
        given=NOT_PARSED,
        alert_id=KEYWORD,
        rumor_id=KEYWORD,
        status=KEYWORD,
    ),
}
_COMPONENTS: dict[str, dict[str, Mapping]] = {
    "base": _BASE,
    "rumor-fields": {"message": TEXT, "text_folded": FOLDED, "rumor": _fields(**_RUMOR)},
}
_KINDS: dict[Kind, tuple[tuple[str, ...], dict[str, Mapping]]] = {
    "alerts": (("base", "rumor-fields"), _ALERTS),
    "rumors": (("base", "rumor-fields"), _RUMORS),
    "posts": (("base",), _POSTS),
    "trends": (("base",), _TRENDS),
    "claims": (("base",), _CLAIMS),
    "audit": (("base",), _AUDIT),
}


def components() -> dict[str, Mapping]:
    """Mappings that several kinds share, by the names of their component templates."""
    return {name: {"properties": fields} for name, fields in _COMPONENTS.items()}


def composed_of(kind: Kind) -> tuple[str, ...]:
    """The components of a kind, in the order in which they are laid over each other."""
    return _KINDS[kind][0]


def own(kind: Kind) -> Mapping:
    """What a kind's indices have besides its components."""
    meta = {"tindon_mapping": MAPPING_VERSION, "tindon_folding": FOLDING_VERSION}
    body: Mapping = {"dynamic": "strict", "_meta": meta, "properties": _KINDS[kind][1]}
    if "rumor-fields" in composed_of(kind):
        body["dynamic_templates"] = [
            {"signal": {"path_match": "rumor.signal.*", "mapping": DOUBLE}}
        ]
    return body


def mapping(kind: Kind) -> Mapping:
    """The whole mapping of a kind's indices."""
    whole: Mapping = {"properties": {}}
    for name in composed_of(kind):
        _lay(whole, {"properties": _COMPONENTS[name]})
    _lay(whole, own(kind))
    return whole


def _lay(under: Mapping, over: Mapping) -> None:
    """Put a mapping's fields over another's, as Elasticsearch does with components."""
    for name, value in over.items():
        if isinstance(value, dict) and isinstance(under.get(name), dict):
            _lay(under[name], value)
        else:
            under[name] = deepcopy(value)
