"""Train a digit reader with Keras on a workstation."""

__all__ = [
    "commands",
    "data",
    "demo",
    "evaluation",
    "networks",
    "options",
    "progress",
    "runs",
    "tensorflow_import",
    "training",
    "tuning",
]
