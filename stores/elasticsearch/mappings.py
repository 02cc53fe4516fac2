"""The mappings: strict, so that an unknown field is refused instead of guessed.

Only types that every distribution of Elasticsearch has, and no analyser but `whitespace`: text that
is searched is folded by `stores.folding` before it is sent.
"""

from __future__ import annotations

from typing import Any

from stores.elasticsearch.names import Kind

MAPPING_VERSION = 1  # raise with every change below; fields may be added, never changed in type

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


def _fields(**fields: Mapping) -> Mapping:
    return {"properties": fields}


COUNTED = _fields(name=KEYWORD, count=LONG)
# Nested keeps a signal's value beside its name; the copies in the parent serve plain panels.
SIGNALS: Mapping = {
    "type": "nested",
    "include_in_parent": True,
    **_fields(name=KEYWORD, value=DOUBLE, threshold=DOUBLE, unit=KEYWORD, definition=NOT_INDEXED),
}
EXEMPLARS = _fields(source=KEYWORD, post_id=KEYWORD, text=TEXT, created_at=DATE, why=KEYWORD)

_EVENT = _fields(kind=KEYWORD, sequence=LONG)
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
    "signals": SIGNALS,
    "exemplars": EXEMPLARS,
    "level": KEYWORD,
    "category": KEYWORD,
}

_RUMORS: dict[str, Mapping] = {
    "event": _EVENT,
    "message": TEXT,
    "rumor": _fields(
        **_RUMOR,
        born_at=DATE,
        micro_clusters=LONG,
        timeline=NOT_PARSED,
        joins=NOT_PARSED,
        alert_id=KEYWORD,
        merged_into=KEYWORD,
        open=BOOLEAN,
    ),
}
_ALERTS: dict[str, Mapping] = {
    "event": _fields(
        kind=KEYWORD, sequence=LONG, id=KEYWORD, severity=LONG, created=DATE, dataset=KEYWORD
    ),
    "rule": _fields(name=KEYWORD, version=KEYWORD),
    "message": TEXT,
    "triage": _fields(status=KEYWORD),
    "rumor": _fields(**_RUMOR),
    "alert": _fields(confirmed_at=DATE, raised_by=KEYWORD, encoder=KEYWORD, merged_into=KEYWORD),
}
_POSTS: dict[str, Mapping] = {
    "event": _EVENT,
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
    "event": _EVENT,
    "trend": _fields(
        language=KEYWORD,
        platform=KEYWORD,
        posts=LONG,
        alerts_suggest=LONG,
        alerts_confirm=LONG,
    ),
}
_KINDS: dict[Kind, dict[str, Mapping]] = {
    "alerts": _ALERTS,
    "rumors": _RUMORS,
    "posts": _POSTS,
    "trends": _TRENDS,
}


def mapping(kind: Kind) -> Mapping:
    """The mapping of a kind's indices."""
    return {
        "dynamic": "strict",
        "_meta": {"tindon_mapping": MAPPING_VERSION},
        "properties": {"@timestamp": DATE, **_KINDS[kind]},
    }
