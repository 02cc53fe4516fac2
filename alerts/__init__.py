"""The alert fold: micro-clusters become rumors and events, signals become alerts."""
