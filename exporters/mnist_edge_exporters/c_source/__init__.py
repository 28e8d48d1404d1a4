"""Write an integer network as C source, and prove it by compiling and running it."""

__all__ = ["generate", "options", "pictures", "project", "proof", "template"]
