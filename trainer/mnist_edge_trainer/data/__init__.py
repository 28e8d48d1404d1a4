"""Load data sets: download, read, check, split."""

__all__ = ["datasets", "idx", "parts"]
