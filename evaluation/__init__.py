"""Evaluation: scores of a labelled replay, and the report that shows them."""

from evaluation.errors import EvaluationError
from evaluation.gold import Gold, load_gold
from evaluation.scoring import score

__all__ = ["EvaluationError", "Gold", "load_gold", "score"]
