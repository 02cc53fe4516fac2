"""Post excerpts as they may stand in a report: one line, masked, short."""

from embeddings.mask import mask

# Long enough to recognise the claim, short enough for one table row.
EXCERPT_CHARACTERS = 120


def excerpt(text: str) -> str:
    """`text` masked as at the door, on one line, cut at 120 characters.

    Labelled files hold raw posts; a report is kept and passed on, so it shows no more than the
    stores would.
    """
    line = " ".join(mask(text).split())
    return line if len(line) <= EXCERPT_CHARACTERS else line[: EXCERPT_CHARACTERS - 1] + "…"
