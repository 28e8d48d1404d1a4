"""Train a digit reader with Keras on a workstation."""

__all__ = [
    "commands",
    "data",
    "demo",
    "evaluation",
    "handwriting",
    "networks",
    "options",
    "progress",
    "runs",
    "tensorflow_import",
    "training",
    "tuning",
]
