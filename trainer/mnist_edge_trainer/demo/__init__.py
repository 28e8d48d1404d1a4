"""Digits drawn by the product itself, read the way a photo is."""

__all__ = ["demo", "synthetic_digits"]
