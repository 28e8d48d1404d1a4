"""Write one HTML page that shows a run and all its exports."""

__all__ = ["page"]
