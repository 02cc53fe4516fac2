"""Every signal: its name, unit, threshold, weight, one-sentence definition, and how it is measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from alerts.parameters import DAY, HOUR
from alerts.rumor import Rumor
from alerts.stream import Stream, surprise
from streams.documents import Signal
from streams.records import Flag


class Measure(NamedTuple):
    """A signal's definition.

    `weight` is what it adds to the score when its value reaches `threshold`: a negative one lowers
    the score, and one of weight 0 informs.
    """

    name: str
    unit: str
    threshold: float
    weight: float
    definition: str
    value: Callable[[Rumor, int, Stream], float]  # of a rumor at a watermark (ms), in its stream

    def signal(self, value: float) -> Signal:
        """As documents tell it."""
        return Signal(
            name=self.name,
            value=value,
            threshold=self.threshold,
            unit=self.unit,
            definition=self.definition,
            weight=self.weight,
        )


def _growth(rumor: Rumor, now: int, stream: Stream) -> float:
    latest = rumor.volume(now - HOUR, now + HOUR)
    before = rumor.volume(now - 7 * HOUR, now - HOUR) / 6.0
    return latest / (before + 1.0)


def _burst(rumor: Rumor, now: int, stream: Stream) -> float:
    hour = now // HOUR * HOUR
    lately, all_lately = rumor.volume(hour, now + HOUR), stream.volume(hour, now + HOUR)
    before = rumor.volume(hour - DAY, hour), stream.volume(hour - DAY, hour)
    # One post of one is as good a guess as none: Laplace's rule for a share never seen yet.
    return surprise(lately, all_lately, (before[0] + 1.0) / (before[1] + 2.0))


def _fresh(rumor: Rumor, now: int, stream: Stream) -> float:
    return min(rumor.lately(now) / rumor.posts.count, 1.0) if rumor.posts else 0.0


def _campaign(rumor: Rumor, now: int, stream: Stream) -> float:
    return max(1.0 - rumor.texts / rumor.posts.count, 0.0) if rumor.posts else 0.0


def _flagged(name: str, flag: Flag, threshold: float, weight: float, definition: str) -> Measure:
    bit = int(flag)  # an enum's operators are slow
    return Measure(
        name, "share of posts", threshold, weight, definition, lambda r, now, s: r.share(bit)
    )


MEASURES: tuple[Measure, ...] = (
    Measure(
        "volume",
        "posts",
        10.0,
        0.40,
        "Posts in the last 24 hours.",
        lambda r, now, s: float(r.lately(now)),
    ),
    Measure(
        "shared",
        "nats",
        100.0,
        0.40,
        "Rarity of the words that two of its different texts have in common, on average: they say "
        "the same, and something that others do not say.",
        lambda r, now, s: r.shared,
    ),
    Measure(
        "overlap",
        "share of words",
        0.60,
        0.20,
        "Share of a text's words, weighed by rarity, that another of its texts has as well.",
        lambda r, now, s: r.overlap,
    ),
    Measure(
        "voices",
        "voices",
        8.0,
        0.0,
        "Distinct pseudonyms (without authors: distinct wordings) that posted it in the last "
        "24 hours.",
        lambda r, now, s: float(r.voices.since(now - DAY)),
    ),
    Measure(
        "wordings",
        "wordings",
        8.0,
        0.0,
        "Distinct wordings of eight words or more in the last 24 hours: people saying it in their "
        "own words, not copies.",
        lambda r, now, s: float(r.wordings.since(now - DAY)),
    ),
    Measure(
        "growth",
        "times",
        3.0,
        0.0,
        "Posts in the last hour over the mean of the six hours before plus one.",
        _growth,
    ),
    Measure(
        "burst",
        "nats",
        7.0,
        0.0,
        "How unlikely its part of this hour's stream is, given its part of the day before "
        "(binomial test, Chernoff bound).",
        _burst,
    ),
    Measure(
        "communities",
        "communities",
        3.0,
        0.0,
        "Distinct groups, pages or channels that carry it.",
        lambda r, now, s: float(len(r.communities)),
    ),
    Measure(
        "platforms",
        "platforms",
        2.0,
        0.0,
        "Distinct platforms that carry it.",
        lambda r, now, s: float(len(r.platforms)),
    ),
    Measure(
        "languages",
        "languages",
        2.0,
        0.0,
        "Distinct languages in which it is told.",
        lambda r, now, s: float(len([name for name in r.languages if name != "und"])),
    ),
    Measure(
        "reach",
        "readers",
        10_000.0,
        0.0,
        "Sum of the reach that its posts state.",
        lambda r, now, s: float(r.reach),
    ),
    Measure(
        "novelty",
        "share of posts",
        0.80,
        0.0,
        "Share of its posts that came in the last 24 hours: low for an old story that goes on.",
        _fresh,
    ),
    Measure(
        "age",
        "hours",
        24.0,
        0.0,
        "Hours since its first post.",
        lambda r, now, s: max(now - r.first_at, 0) / HOUR,
    ),
    _flagged(
        "enquiry_share",
        Flag.ENQUIRY,
        0.10,
        0.05,
        "Share of the posts that ask whether it is true.",
    ),
    _flagged(
        "denial_share", Flag.DENIAL, 0.10, 0.05, "Share of the posts that say that it is not true."
    ),
    Measure(
        "correction_share",
        "share of posts",
        0.05,
        0.0,
        "Share of the posts that are published corrections; above 0 somebody has answered already.",
        lambda r, now, s: r.share_of_kind("correction"),
    ),
    Measure(
        "tip_share",
        "share of posts",
        0.20,
        0.05,
        "Share of the posts that citizens sent in as tips.",
        lambda r, now, s: r.share_of_kind("tip"),
    ),
    _flagged(
        "urgent_share",
        Flag.URGENT,
        0.20,
        0.05,
        "Share of the posts that call to share, to act or to beware.",
    ),
    _flagged(
        "agency_share",
        Flag.AGENCY,
        0.30,
        0.0,
        "Share of the posts that speak of or as an authority.",
    ),
    _flagged(
        "posing_share",
        Flag.POSING,
        0.20,
        0.05,
        "Share of the posts in which an authority, real or pretended, demands money, data or an "
        "installation.",
    ),
    _flagged(
        "harm_share",
        Flag.HARM,
        0.50,
        0.0,
        "Share of the posts of a category that may hurt people or cost them money, by the taxonomy.",
    ),
    Measure(
        "campaign_share",
        "share of posts",
        0.60,
        0.0,
        "Share of the posts that copy another one's text word for word.",
        _campaign,
    ),
    _flagged(
        "advert_share",
        Flag.ADVERT,
        0.25,
        -0.40,
        "Share of the posts that offer goods or services; lowers the score.",
    ),
    _flagged(
        "greeting_share",
        Flag.GREETING,
        0.25,
        -0.40,
        "Share of the posts that wish a good morning, a good night, good health; lowers the score.",
    ),
)

NAMES = tuple(m.name for m in MEASURES)
