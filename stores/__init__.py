"""One interface, two stores: SQLite and Elasticsearch."""
