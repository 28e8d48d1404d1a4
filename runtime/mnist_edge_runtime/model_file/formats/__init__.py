"""The formats of model file, one object each."""

__all__ = ["base", "registry"]
