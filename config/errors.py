"""The one error of this package."""

from __future__ import annotations


class SettingsError(Exception):
    """A setting cannot be used; the message is one line: what is wrong, where, the mend."""

    exit_code = 2  # wrong use, by the command line's contract

    def __init__(self, message: str) -> None:
        self.message = " ".join(message.split())
        super().__init__(self.message)
