"""The form of rules and connectors, as Kibana's published API reference words it for 8.19 and 9.x.

Written by hand out of the reference (create rule, create connector, rule type parameters): the OpenAPI
document itself is not part of any package that can be fetched here. Stricter than it: nothing unknown.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

# "An UUID v1 or v4 identifier", for rules and connectors alike.
UUID = "^[0-9a-f]{8}-[0-9a-f]{4}-[14][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
PERIOD = {"type": "string", "pattern": "^[1-9][0-9]*[smhd]$"}


def _object(required: Schema, optional: Schema | None = None) -> Schema:
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **(optional or {})},
        "additionalProperties": False,
    }


_TEXT = {"type": "string", "minLength": 1}
_WINDOW: Schema = {
    "index": {"type": "array", "items": _TEXT, "minItems": 1},
    "timeField": _TEXT,
    "timeWindowSize": {"type": "integer", "minimum": 1},
    "timeWindowUnit": {"enum": ["s", "m", "h", "d"]},
    "threshold": {"type": "array", "items": {"type": "number"}, "minItems": 1, "maxItems": 2},
    "thresholdComparator": {"enum": [">", ">=", "<", "<=", "between", "notBetween"]},
}
_GROUPING: Schema = {
    "aggType": {"enum": ["avg", "count", "max", "min", "sum"]},
    "aggField": _TEXT,
    "groupBy": {"enum": ["all", "top"]},
    "termField": _TEXT,
    "termSize": {"type": "integer", "minimum": 1},
}
_BY_TERM: Schema = {
    "if": {"properties": {"groupBy": {"const": "top"}}, "required": ["groupBy"]},
    "then": {"required": ["termField", "termSize"]},
}
PARAMETERS: dict[str, Schema] = {
    ".es-query": {
        **_object(
            {
                **_WINDOW,
                "searchType": {"const": "esQuery"},
                "esQuery": _TEXT,
                "size": {"type": "integer", "minimum": 0, "maximum": 10_000},
            },
            {**_GROUPING, "excludeHitsFromPreviousRun": {"type": "boolean"}},
        ),
        **_BY_TERM,
    },
    ".index-threshold": {**_object(_WINDOW, _GROUPING), **_BY_TERM},
}
GROUPS = {
    ".es-query": {"query matched", "recovered"},
    ".index-threshold": {"threshold met", "recovered"},
}
# Of the Basic licence.
CONNECTORS: dict[str, Schema] = {
    ".server-log": _object({}),
    ".index": _object(
        {"index": _TEXT}, {"refresh": {"type": "boolean"}, "executionTimeField": _TEXT}
    ),
}
ACTIONS: dict[str, Schema] = {
    ".server-log": _object(
        {
            "level": {"enum": ["trace", "debug", "info", "warn", "error", "fatal"]},
            "message": _TEXT,
        }
    ),
    ".index": _object({"documents": {"type": "array", "items": {"type": "object"}, "minItems": 1}}),
}
_FREQUENCY: Schema = {
    **_object(
        {
            "summary": {"const": False},  # a summary has other variables than our messages
            "notify_when": {"enum": ["onActionGroupChange", "onActiveAlert", "onThrottleInterval"]},
        },
        {"throttle": {"anyOf": [PERIOD, {"type": "null"}]}},
    ),
    # A throttle goes with its interval, and with nothing else.
    "if": {"properties": {"notify_when": {"const": "onThrottleInterval"}}},
    "then": {"properties": {"throttle": PERIOD}, "required": ["throttle"]},
    "else": {"properties": {"throttle": {"type": "null"}}},
}


def connector(kind: str) -> Schema:
    """The body that creates a connector, with the id that stands in its path."""
    return _object(
        {
            "id": {"type": "string", "pattern": UUID},
            "name": _TEXT,
            "connector_type_id": {"const": kind},
            "config": CONNECTORS[kind],
            "secrets": _object({}),
        }
    )


def rule(kind: str, connectors: dict[str, str]) -> Schema:
    """The body that creates a rule, with the id that stands in its path. `connectors`: kind by id."""
    actions = [
        _object(
            {
                "id": {"const": name},
                "group": {"enum": sorted(GROUPS[kind])},
                "params": ACTIONS[of],
                "frequency": _FREQUENCY,
            }
        )
        for name, of in connectors.items()
    ]
    return _object(
        {
            "id": {"type": "string", "pattern": UUID},
            "name": _TEXT,
            "rule_type_id": {"const": kind},
            "consumer": {"enum": ["alerts", "stackAlerts"]},
            "schedule": _object({"interval": PERIOD}),
            "params": PARAMETERS[kind],
            "actions": {"type": "array", "items": {"anyOf": actions}, "minItems": 1},
        },
        {"tags": {"type": "array", "items": _TEXT}, "enabled": {"type": "boolean"}},
    )
