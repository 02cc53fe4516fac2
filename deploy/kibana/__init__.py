"""Kibana's data views, saved searches, dashboards and rules, and how they get there."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
OBJECTS = FOLDER / "tindon.ndjson"  # written by build.py
RULES = FOLDER / "rules.json"
CONSOLE = "http://127.0.0.1:8080"  # in the links of OBJECTS; replaced when they are imported
