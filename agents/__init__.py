"""Thin edges: the in-process runner and the Faust agents that wire the stages."""
