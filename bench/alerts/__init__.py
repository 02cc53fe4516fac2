"""Alerts measured: signals recorded once, rules swept over the recording."""
