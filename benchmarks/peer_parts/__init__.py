"""Measure what others do beside what this project does; `peers.py` runs it."""

__all__ = ["conversion", "page", "readers", "session", "throughput", "training"]
