"""Where folds keep their state: on a local disk, or in a compacted Kafka topic."""

from streams.checkpoints.base import (
    Checkpoint,
    CheckpointDamaged,
    CheckpointError,
    CheckpointStore,
    Fenced,
)

__all__ = ["Checkpoint", "CheckpointDamaged", "CheckpointError", "CheckpointStore", "Fenced"]
