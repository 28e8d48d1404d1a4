"""Prove that an exported file answers as the Keras model does."""

__all__ = ["comparison", "integer_meaning", "metrics", "prove", "report_file", "targets", "tolerance", "worker"]
