"""The cluster fold: one post in, one micro-cluster found or opened."""

from clusters.fold import ClusterFold
from clusters.parameters import ClusterParameters

__all__ = ["ClusterFold", "ClusterParameters"]
