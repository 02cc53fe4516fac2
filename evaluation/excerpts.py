"""Post excerpts as they may stand in a report: one line, masked, short."""

# Long enough to recognise the claim, short enough for one table row.
EXCERPT_CHARACTERS = 120


def excerpt(text: str) -> str:
    """`text` on one line, cut at 120 characters."""
    line = " ".join(text.split())
    return line if len(line) <= EXCERPT_CHARACTERS else line[: EXCERPT_CHARACTERS - 1] + "…"
