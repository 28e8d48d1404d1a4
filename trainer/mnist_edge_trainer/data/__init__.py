"""Load data sets: download, read, check, split."""

__all__ = ["cache", "datasets", "idx", "own_pictures", "parts"]
