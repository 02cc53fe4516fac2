"""Where posts come in."""
