"""Kafka and Elasticsearch on this machine without Docker: downloaded, started and stopped."""

from deploy.local.elasticsearch import Elasticsearch
from deploy.local.errors import ServerError
from deploy.local.kafka import Kafka

__all__ = ["Elasticsearch", "Kafka", "ServerError"]
