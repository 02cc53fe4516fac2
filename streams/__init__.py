"""What flows and how it is kept in order: records, frames, time, ids, logs and checkpoints."""
