"""Train a digit reader with Keras on a workstation."""

__all__ = [
    "commands",
    "data",
    "demo",
    "device_commands",
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
