"""Convert a Keras model by the tool of somebody else, as its documentation does it; a child of `conversion.py`.

    converters_worker.py NAME MODEL IMAGES FILE

IMAGES is an .npy file of training images, uint8 (N, 28, 28), that quantizers learn their ranges from. One JSON document
on stdout has the seconds of imports, of loading the model, and of the conversion. With the name "answers" IMAGES are
test images, and FILE gets what Keras answers, (N, classes).
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

started = time.monotonic()
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np  # noqa: E402

if not hasattr(np, "object"):
    np.object = object  # tf2onnx still uses the alias that numpy 1.24 removed

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

Convert = Callable[[Any, Any, Path], None]


def keras_litert(model: Any, images: Any, file: Path) -> None:
    model.export(str(file), format="litert", verbose=False)


def keras_onnx(model: Any, images: Any, file: Path) -> None:
    model(images[:1])  # Keras refuses a model that was never called
    model.export(str(file), format="onnx", verbose=False)


def tflite_converter(model: Any, images: Any, file: Path) -> None:
    """The guide "Post-training integer quantization": its 100 images, and integers at both ends."""

    def representative_data_gen() -> Any:
        for image in tf.data.Dataset.from_tensor_slices(images).batch(1).take(100):
            yield [image]

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = representative_data_gen
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.uint8
    converter.inference_output_type = tf.uint8
    file.write_bytes(converter.convert())


def ai_edge_quantizer(model: Any, images: Any, file: Path) -> None:
    """Static int8 of the float file that Keras exports."""
    from ai_edge_litert.interpreter import Interpreter
    from ai_edge_quantizer import quantizer, recipe

    with tempfile.TemporaryDirectory() as folder:
        float_file = Path(folder) / "float.tflite"
        keras_litert(model, images, float_file)
        signatures = Interpreter(str(float_file)).get_signature_list()
        (key, signature), *_ = signatures.items()
        quantize = quantizer.Quantizer(str(float_file), recipe.static_wi8_ai8())
        data = {key: [{signature["inputs"][0]: image[np.newaxis]} for image in images]}
        quantize.quantize(quantize.calibrate(data)).export_model(str(file), overwrite=True)


def onnxruntime_static(model: Any, images: Any, file: Path) -> None:
    """`quantize_static` after its own preparation, with its defaults, of what tf2onnx makes."""
    import tf2onnx
    from onnxruntime.quantization import CalibrationDataReader, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.left = iter(images)

        def get_next(self) -> Any:
            image = next(self.left, None)
            return None if image is None else {"image": image[np.newaxis]}

    with tempfile.TemporaryDirectory() as folder:
        plain, prepared = (str(Path(folder) / name) for name in ("plain.onnx", "prepared.onnx"))
        signature = [tf.TensorSpec((None, 28, 28, 1), tf.float32, name="image")]
        function = tf.function(lambda image: model(image, training=False))
        tf2onnx.convert.from_function(function, input_signature=signature, opset=17, output_path=plain)
        quant_pre_process(plain, prepared, skip_symbolic_shape=True)  # which would need sympy
        quantize_static(prepared, str(file), Reader())


def answers(model: Any, images: Any, file: Path) -> None:
    np.save(file, model.predict(images, batch_size=500, verbose=0))


CONVERTERS: Mapping[str, Convert] = {
    "keras-litert": keras_litert,
    "keras-onnx": keras_onnx,
    "tflite-converter": tflite_converter,
    "ai-edge-quantizer": ai_edge_quantizer,
    "onnxruntime": onnxruntime_static,
    "answers": answers,
}


def main(name: str, model_file: str, images_file: str, file: str) -> None:
    imported = time.monotonic()
    stdout, sys.stdout = sys.stdout, sys.stderr  # for what converters print
    model = keras.models.load_model(model_file, compile=False)
    images = np.load(images_file)[..., np.newaxis].astype(np.float32) / 255
    loaded = time.monotonic()
    CONVERTERS[name](model, images, Path(file))
    seconds = {"import": imported - started, "load": loaded - imported, "convert": time.monotonic() - loaded}
    print(json.dumps(seconds), file=stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
