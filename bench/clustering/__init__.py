"""Both folds and their peers on labelled streams, in one table."""
