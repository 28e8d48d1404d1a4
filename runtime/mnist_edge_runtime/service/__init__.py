"""Run as a service: watch folders for new pictures."""

__all__ = ["inbox"]
