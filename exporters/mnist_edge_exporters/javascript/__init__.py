"""Write an integer network as JavaScript and as a page that opens from disk, and prove it by running it in V8."""

__all__ = ["generate", "pictures", "project", "proof", "template"]
