"""How Tindon is brought up: local servers, compose, Kubernetes, dashboards."""
