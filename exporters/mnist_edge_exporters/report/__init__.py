"""One HTML page that shows a run and all its exports: `write`."""

from .page import Report, write

__all__ = ["Report", "write"]
