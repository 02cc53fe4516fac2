"""Text to vectors and features: the encoder that ships, adapters for heavier ones, and the door's normalising."""

from embeddings.encoder import load_encoder

__all__ = ["load_encoder"]
