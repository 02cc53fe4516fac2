"""The alert fold: micro-clusters become rumors and events, signals become alerts."""

from alerts.fold import AlertFold
from alerts.parameters import AlertParameters, BadParameter, CategoryRules, LevelRule
from alerts.signals import UnknownSignal

__all__ = [
    "AlertFold",
    "AlertParameters",
    "BadParameter",
    "CategoryRules",
    "LevelRule",
    "UnknownSignal",
]
