"""Save and load runs, the folders of trained networks."""

__all__ = ["plots", "run"]
