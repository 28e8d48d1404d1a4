"""Save and load runs, the folders of trained networks."""

__all__ = ["command", "exports", "listing", "locks", "plots", "replacement", "run", "unchanged"]
