"""The Grafana dashboard of the pipeline, and how Grafana finds it."""
