"""What is in a model file, and how it is checked before an engine sees it."""

__all__ = ["contract", "golden", "sealed_model"]
