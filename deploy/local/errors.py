"""The one error of the local servers."""

from __future__ import annotations


class ServerError(Exception):
    """A local server cannot do what was asked; the message says what is wrong and the mend."""
