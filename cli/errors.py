"""Errors that a user can mend: printed as one line; each has its exit code."""

from __future__ import annotations


class UserError(Exception):
    """Something failed that the user can mend; the message is one line and says how."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        self.message = " ".join(message.split())
        super().__init__(self.message)


class Stopped(UserError):
    """The user stopped it (Ctrl-C); the message says what stands and how to go on."""

    exit_code = 130


class WrongUse(UserError):
    """The command was called in a way that cannot work."""

    exit_code = 2
