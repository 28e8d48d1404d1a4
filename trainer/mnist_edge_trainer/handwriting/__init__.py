"""Draw handwritten digits in the styles that people learn at school in different countries."""

__all__ = ["command", "pool"]
