"""Text to vectors and features: the encoder that ships, heavier ones, the door."""

from embeddings.encoder import load_encoder

__all__ = ["load_encoder"]
