"""Prove that a file answers as the Keras model does."""

__all__ = ["comparison", "prove", "targets", "tolerance", "verify"]
