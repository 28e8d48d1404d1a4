"""Draw synthetic digits and classify them like a photo."""

__all__ = ["demo", "synthetic_digits"]
