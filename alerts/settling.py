"""Other settings in the middle of the log: what the alert fold takes up, and what it keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from alerts.levels import Levels
from alerts.parameters import AlertParameters, BadParameter


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
