"""What the evaluation says when it cannot go on: one line, with the mend."""


class EvaluationError(Exception):
    """An input or a missing package stops the evaluation; the message is one line."""
