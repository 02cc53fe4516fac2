"""What the doctor finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One check: `mend` is empty when it is good; a lack that is not essential fails nothing."""

    name: str
    detail: str
    mend: str = ""
    essential: bool = True

    @property
    def good(self) -> bool:
        return not self.mend
