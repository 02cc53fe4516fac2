"""Where links with a scheme, or with a sign as clear as one, stand in a text."""

from __future__ import annotations

import re

_URL = re.compile(r"((?:https?|ftp)://\S+|www\.\S+|pic\.twitter\.com/\S+|tel:\S+)", re.I)
_WEB_URL = re.compile(r"(https?://\S+)")  # begins with letters that the search can leap to
_URL_SIGN = re.compile(r"://|[wW]{3}\.|pic\.t|[tT][eE][lL]:")


def has_link(text: str) -> bool:
    """Whether a text may have links, those without a scheme left out."""
    return _URL_SIGN.search(text) is not None


def parted(text: str) -> list[str]:
    """What stands between links, and at odd places the links; together the text."""
    return (_WEB_URL if _only_web(text) else _URL).split(text)


def _only_web(text: str) -> bool:
    """Whether the cheaper pattern finds all its links: every scheme is one of the web's, and none is
    left out."""
    if text.count("://") != text.count("http://") + text.count("https://"):
        return False
    text = text.lower()
    return not ("www." in text or ".tw" in text or "tel:" in text)
