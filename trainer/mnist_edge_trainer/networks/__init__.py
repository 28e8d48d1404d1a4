"""Define the networks, and the recipe that trains each of them."""

__all__ = ["architectures", "config", "published", "recipe"]
