"""Tuning: combinations of settings compared on labelled posts, chronologically."""
