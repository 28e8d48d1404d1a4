"""Load data sets: download, read, check, split."""

__all__ = ["datasets", "idx", "own_pictures", "parts"]
