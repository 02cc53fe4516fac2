"""Other settings in the middle of the log: what the alert fold takes up, and what it keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from alerts.levels import Levels
from alerts.parameters import AlertParameters, BadParameter
from streams.documents import AuditDocument
from streams.inputs import SettingsChange


def taken_up(
    stands: AlertParameters, values: Mapping[str, Any]
) -> tuple[AlertParameters, Levels] | None:
    """The given parameters in place of those that stand, all but the dense weight: sums were made with it.

    None for what this program cannot use (a signal that it does not know): a record of the log must not
    stop the fold, and `tindon settings apply` has refused it.
    """
    known = {name: v for name, v in values.items() if name in AlertParameters.__struct_fields__}
    kept = {"dense_weight": stands.dense_weight}
    try:
        parameters = msgspec.convert(
            {**msgspec.to_builtins(stands), **known, **kept}, AlertParameters
        )
        return parameters, Levels(parameters)
    except (msgspec.ValidationError, BadParameter):
        return None


def audit_entry(change: SettingsChange, settled: bool, version: int) -> AuditDocument:
    """The audit's entry of a change; `version`: the fold's after it."""
    return AuditDocument(
        action_id=change.id,
        version=version,
        at=change.at,
        who=change.who,
        deed="settings",
        subject=change.version,
        why=change.why,
        given={name: repr(value) for name, value in sorted(change.values.items())},
        taken=settled,
        reason="" if settled else "this program cannot use these settings",
        alert_id=None,
        rumor_id=None,
        status=None,
    )
