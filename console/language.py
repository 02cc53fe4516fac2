"""One reading language: words, counts, numbers, hours. Hours are Vietnam's: no summer time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from math import isfinite

from console.values import VALUES
from console.words import WORDS

LANGUAGES = ("vi", "en")
VIETNAM = timezone(timedelta(hours=7))
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000  # ms


class Language:
    """Writes words and figures as readers of `code` ("vi" or "en") expect them."""

    def __init__(self, code: str) -> None:
        if code not in LANGUAGES:
            raise ValueError(f"no such language: {code!r}; choose one of {', '.join(LANGUAGES)}")
        self.code = code
        self._column = LANGUAGES.index(code)

    def word(self, key: str, n: object = None) -> str:
        """The word for `key`, with {n} filled in; KeyError for an unknown key."""
        text = WORDS[key][self._column]
        return text if n is None else text.replace("{n}", str(n))

    def name(self, kind: str, key: str) -> str:
        """The word for a value such as a status or a language code; an unknown one as it stands."""
        known = VALUES.get(f"{kind}.{key}")
        return known[self._column] if known else key.replace("_", " ")

    def definition(self, signal: str, given: str) -> str:
        """A signal's definition in this language; of an unknown one, the one that it carries."""
        known = VALUES.get(f"definition.{signal}")
        return known[self._column] if known else given

    def count(self, key: str, n: float) -> str:
        """A counted word: "3 bài", "1 post", "2 posts"."""
        forms = WORDS[key][self._column].split("|")
        form = forms[0] if n == 1 else forms[-1]
        return form.replace("{n}", self.number(n))

    def number(self, value: float) -> str:
        """At most three significant digits below a thousand; grouped whole numbers above."""
        if not isfinite(value):
            return "–"
        if value == int(value):
            text = f"{int(value):,}"
        elif abs(value) >= 1000:
            text = f"{value:,.0f}"
        else:
            digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
            text = f"{value:.{digits}f}"
            text = text.rstrip("0").rstrip(".") if "." in text else text
        if self.code == "vi":
            return text.translate(str.maketrans(",.", ".,"))
        return text

    def exact(self, value: float) -> str:
        """A setting or a score with all that it is worth: .275 stays .275."""
        text = f"{value:.6g}"
        return text.replace(".", ",") if self.code == "vi" else text

    def moment_of(self, stamp: str) -> str:
        """Day and hour of an ISO 8601 stamp."""
        return self.moment(int(datetime.fromisoformat(stamp).timestamp() * 1000))

    def share(self, value: float) -> str:
        """A part of one as a percentage."""
        return self.number(round(value * 100)) + ("\u00a0%" if self.code == "vi" else "%")

    def measure(self, value: float, unit: str) -> str:
        """A signal's value with its unit; shares become percentages."""
        if unit.startswith("share"):
            return self.share(value)
        if unit == "times":
            return self.count("n_times", value)
        return self.number(value)

    def duration(self, ms: int) -> str:
        """Length of time in its largest fitting unit, rounded down."""
        ms = max(0, ms)
        if ms < MINUTE:
            return self.count("n_seconds", ms // 1000)
        if ms < 2 * HOUR:
            return self.count("n_minutes", ms // MINUTE)
        if ms < 2 * DAY:
            return self.count("n_hours", ms // HOUR)
        return self.count("n_days", ms // DAY)

    def ago(self, at: int, now: int) -> str:
        """How long before `now` (both ms) something happened."""
        if now - at < MINUTE:
            return self.word("just_now")
        return self.word("ago", self.duration(now - at))

    def clock(self, at: int, now: int | None = None) -> str:
        """Hour and minute in Vietnam, with the date when it is not the day of `now`."""
        moment = local(at)
        hour = f"{moment:%H:%M}"
        if now is not None and local(now).date() == moment.date():
            return hour
        return (
            f"{hour} · {moment:%d/%m}"
            if self.code == "vi"
            else f"{hour} · {moment.day} {moment:%b}"
        )

    def day(self, at: int) -> str:
        """The date in Vietnam."""
        moment = local(at)
        return f"{moment:%d/%m/%Y}" if self.code == "vi" else f"{moment.day} {moment:%b %Y}"

    def moment(self, at: int) -> str:
        """The full date and time, for hover texts."""
        return f"{local(at):%H:%M:%S %d/%m/%Y} (UTC+7)"


def local(at: int) -> datetime:
    """Vietnamese wall time of a moment in ms; moments that no calendar holds become its end."""
    try:
        return datetime.fromtimestamp(at / 1000, VIETNAM)
    except (ValueError, OverflowError, OSError):
        return datetime(9999, 12, 31, tzinfo=VIETNAM)


def iso(at: int) -> str:
    """A moment as ISO 8601 UTC, for the datetime attribute."""
    try:
        return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return "9999-12-31T00:00:00Z"
