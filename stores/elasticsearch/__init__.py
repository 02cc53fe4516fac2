"""Elasticsearch as a store; needs nothing that a plain distribution of 8.19 or 9 lacks."""

from stores.elasticsearch.bulk import Delivery, Rejected
from stores.elasticsearch.client import Access
from stores.elasticsearch.store import ElasticsearchStore
from stores.elasticsearch.templates import Step

__all__ = ["Access", "Delivery", "ElasticsearchStore", "Rejected", "Step"]
