"""How figures are written for people, in the terminal and in the report."""

DASH = "–"


def figure(value: float | None, digits: int = 3) -> str:
    """A score such as 0.887; a dash where there is none."""
    return DASH if value is None else f"{value:.{digits}f}"


def count(value: float | None) -> str:
    """A whole number with thousands set apart: 33,703."""
    return DASH if value is None else f"{value:,.0f}"


def quantity(value: float | None) -> str:
    """A number of posts that may be a fraction after interpolation: 7, 17.4."""
    return DASH if value is None else f"{value:,.1f}".removesuffix(".0")


def percent(value: float | None) -> str:
    """A share such as 96.4 %."""
    return DASH if value is None else f"{100 * value:.1f} %"


def minutes(value: float | None) -> str:
    """A duration in the unit that reads best: 35 min, 10.4 h, 13.5 d."""
    if value is None:
        return DASH
    if value < 120:
        return f"{value:.0f} min"
    if value < 48 * 60:
        return f"{value / 60:.1f} h"
    return f"{value / 1440:.1f} d"
