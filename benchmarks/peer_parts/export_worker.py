"""Convert a Keras model as `mnist-edge export` does, without its proof; a child of `conversion.py`.

    export_worker.py FORMAT MODEL IMAGES FILE

IMAGES and the document on stdout are those of `converters_worker.py`.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

started = time.monotonic()

import numpy as np  # noqa: E402
from mnist_edge_exporters import keras_model  # noqa: E402
from mnist_edge_exporters.converters.calibration import Calibration  # noqa: E402
from mnist_edge_exporters.converters.registry import CONVERTERS  # noqa: E402
from mnist_edge_exporters.spec import ExportSpec, Quantization  # noqa: E402
from mnist_edge_runtime.output_capture import suppress_output  # noqa: E402

with suppress_output():
    import tensorflow  # noqa: F401


def main(format: str, model_file: str, images_file: str, file: str) -> None:
    imported = time.monotonic()
    model = keras_model.load(Path(model_file))
    calibration = Calibration(np.load(images_file), {})
    loaded = time.monotonic()
    converted = CONVERTERS[format].convert(model, ExportSpec(format, Quantization.INT8), calibration)
    Path(file).write_bytes(converted.payload)
    seconds = {"import": imported - started, "load": loaded - imported, "convert": time.monotonic() - loaded}
    print(json.dumps(seconds))


if __name__ == "__main__":
    main(*sys.argv[1:])
