"""The networks, and the recipe that each is trained by."""

__all__ = ["architectures", "config", "recipe"]
