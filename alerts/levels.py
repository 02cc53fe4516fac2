"""When a rumor becomes an alert."""

from __future__ import annotations

from typing import NamedTuple

from alerts.parameters import DAY, AlertParameters, CategoryRules, LevelRule
from alerts.rumor import AlertState, Rumor
from alerts.signals import measures, score, signals_of_nothing
from alerts.stream import Stream
from streams.documents import Level, Signal
from streams.ids import alert_id


class Verdict(NamedTuple):
    """A level that a rumor has newly reached, and why."""

    level: Level
    score: float
    signals: list[Signal]


class Levels:
    """The rules for `suggest` and `confirm`. An alert rises here; an analyst or time ends it."""

    def __init__(self, parameters: AlertParameters) -> None:
        self._measures = measures(parameters.weights, parameters.thresholds)
        self._nothing = signals_of_nothing(self._measures)
        self._usual = CategoryRules(suggest=parameters.suggest, confirm=parameters.confirm)
        self._special = parameters.categories
        rules = [self._usual, *self._special.values()]
        self._fewest = min(min(r.suggest.min_voices, r.confirm.min_voices) for r in rules)

    def rules(self, rumor: Rumor) -> CategoryRules:
        """The levels that hold for a rumor of its category."""
        return self._special.get(rumor.category[0], self._usual) if self._special else self._usual

    def score(self, rumor: Rumor, now: int, stream: Stream) -> tuple[float, list[Signal]]:
        return score(self._measures, rumor, now, stream, self._nothing)

    def judge(self, rumor: Rumor, now: int, stream: Stream) -> Verdict | None:
        """The level that the rumor reaches now and never had; None when there is none."""
        if len(rumor.voices) < self._fewest:  # cheap: most rumors are far below
            return None
        rumor.forget_before(now)
        if rumor.alert is not None and rumor.alert.level == "confirm":
            return None

        def carried(rule: LevelRule) -> bool:  # what is cheap to tell comes first
            return (
                rumor.shared >= rule.min_shared
                and rumor.lately(now) >= rule.min_posts
                and rumor.voices.since(now - DAY) >= rule.min_voices
                and rumor.wordings.since(now - DAY) >= rule.min_wordings
            )

        rules = self.rules(rumor)
        confirm = carried(rules.confirm)
        suggest = rumor.alert is None and carried(rules.suggest)
        if not (confirm or suggest):  # no score can replace the evidence
            return None
        value, signals = self.score(rumor, now, stream)
        if confirm and value >= rules.confirm.score:
            return Verdict("confirm", value, signals)
        if suggest and value >= rules.suggest.score:
            return Verdict("suggest", value, signals)
        return None

    @staticmethod
    def raise_alert(rumor: Rumor, level: Level, now: int, by: str) -> None:
        """Give the rumor its alert, or lift the one that it has."""
        if rumor.alert is None:
            rumor.ordinal += 1
            rumor.alert = AlertState(
                alert_id=alert_id(rumor.id, rumor.ordinal), level=level, raised_at=now, raised_by=by
            )
        rumor.alert.level = level
        if level == "confirm":
            rumor.alert.confirmed_at = now
