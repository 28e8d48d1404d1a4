"""Train a digit reader with Keras on a workstation."""
