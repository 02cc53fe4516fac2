"""Evaluation: scores of a labelled replay, and the report that shows them."""

from evaluation.errors import EvaluationError
from evaluation.gold import Gold, load_gold
from evaluation.report import render
from evaluation.scoring import score
from evaluation.terminal import cli_text

__all__ = ["EvaluationError", "Gold", "cli_text", "load_gold", "render", "score"]
