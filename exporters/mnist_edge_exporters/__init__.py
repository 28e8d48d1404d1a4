"""Export a Keras model to files for devices, and prove that they answer as the model does."""

__all__ = [
    "analysis",
    "bundle",
    "commands",
    "converters",
    "deploy",
    "export",
    "input_layers",
    "installer",
    "keras_model",
    "options",
    "output_head",
    "own_code",
    "parity",
    "pixels",
    "precision",
    "report",
    "source",
    "source_finder",
    "spec",
    "templates",
]
