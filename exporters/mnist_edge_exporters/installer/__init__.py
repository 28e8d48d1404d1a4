"""Install a bundle on a device, with Python's standard library alone."""

__all__ = ["deployment"]
