"""Convert a Keras model to TFLite, and look into TFLite files."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from mnist_edge_runtime.engines import litert
from mnist_edge_runtime.engines.base import Engine
from mnist_edge_runtime.engines.tensor_codec import encoder
from mnist_edge_runtime.model_file.contract import IMAGE_SHAPE, Contract, InputSpec, OutputSpec
from mnist_edge_runtime.output_capture import suppress_output
from numpy.typing import NDArray

from ..spec import ExportSpec, Granularity, Quantization
from .base import Activation, ConvertedModel, real_values
from .calibration import Calibration

__all__ = ["activations", "convert", "load_builtin_kernels", "requirements"]

_NO_LAYERS = ("QUANTIZE", "DEQUANTIZE", "RESHAPE")  # they only change how numbers are stored or arranged


def convert(model: Any, spec: ExportSpec, calibration: Calibration) -> ConvertedModel:
    """Return the model as TFLite with batch size 1.

    `int8` is full-integer: weights and activations are int8, image and logits of the spec's dtype. `int16x8` has
    int16 activations and int8 weights, `dynamic` int8 weights alone, `int4` int4 weights of convolutions and dense
    layers, `float16` float16 weights; these and `none` take and give float32.

    Args:
        model: a checked Keras model.
        spec: a TFLite variant.
        calibration: the images that `int8` and `int16x8` learn their ranges from.
    """
    import keras
    import tensorflow as tf
    from ai_edge_litert.interpreter import Interpreter

    from ..output_head import to_logits

    signature = [tf.TensorSpec((1, *IMAGE_SHAPE, 1), tf.float32, name="image")]
    network = to_logits(model, batch_size=1)
    with tempfile.TemporaryDirectory(prefix="mnist-edge-") as folder, suppress_output():
        archive = keras.export.ExportArchive()
        archive.track(network)
        archive.add_endpoint("serving_default", network.call, signature)
        archive.write_out(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        _SETTINGS[spec.quantization](converter, spec, calibration)
        payload: bytes = converter.convert()
        if spec.quantization is Quantization.INT4:
            payload = _with_int4_weights(payload)
    interpreter = Interpreter(model_content=payload)
    image, logits = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    return ConvertedModel(payload, InputSpec(*_scaling(image)), OutputSpec(*_scaling(logits)))


def _float32(converter: Any, spec: ExportSpec, calibration: Calibration) -> None:
    """Leave the weights as they are."""


def _float16(converter: Any, spec: ExportSpec, calibration: Calibration) -> None:
    import tensorflow as tf

    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]


def _dynamic(converter: Any, spec: ExportSpec, calibration: Calibration) -> None:
    import tensorflow as tf

    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    # Per-channel dense weights are version 12 of FULLY_CONNECTED, which tflite-runtime 2.14 does not know.
    converter._experimental_disable_per_channel_quantization_for_dense_layers = True


def _int8(converter: Any, spec: ExportSpec, calibration: Calibration) -> None:
    import tensorflow as tf

    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: _one_by_one(calibration)
    # Without this a layer that cannot be quantized would silently stay float.
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.as_dtype(spec.io_dtype.value)
    if spec.granularity is Granularity.PER_TENSOR:
        converter._experimental_disable_per_channel = True
        converter._experimental_disable_per_channel_quantization_for_dense_layers = True


def _int16x8(converter: Any, spec: ExportSpec, calibration: Calibration) -> None:
    import tensorflow as tf

    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: _one_by_one(calibration)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8]


_SETTINGS: Mapping[Quantization, Callable[[Any, ExportSpec, Calibration], None]] = {
    Quantization.NONE: _float32,
    Quantization.FLOAT16: _float16,
    Quantization.DYNAMIC: _dynamic,
    Quantization.INT8: _int8,
    Quantization.INT16X8: _int16x8,
    Quantization.INT4: _float32,  # what is quantized is the float file
}


def _with_int4_weights(payload: bytes) -> bytes:
    """Return a float file with int4 weights per channel, whose activations the kernels quantize as they come.

    On validation images this was as accurate as weights dequantized to float, in less than half the time.
    """
    from ai_edge_quantizer import quantizer, recipe

    quantized = quantizer.Quantizer(bytearray(payload), recipe.dynamic_wi4_afp32()).quantize()
    return bytes(quantized.quantized_model)


def _one_by_one(calibration: Calibration) -> Iterator[list[Any]]:
    for tensor in calibration.tensors():
        yield [tensor[np.newaxis]]


def _scaling(details: Any) -> tuple[str, float, int]:
    """Return dtype, scale and zero point; a float tensor is its own real value."""
    scale, zero_point = details["quantization"]
    return np.dtype(details["dtype"]).name, float(scale) or 1.0, int(zero_point)


def activations(payload: bytes, image: InputSpec, images: NDArray[np.uint8]) -> dict[str, Activation]:
    """Return the output of each layer by name, in the order of the graph.

    The name is that of the operator and its place among those that compute, so that it is the same in the float and
    in the quantized file. Kernels are the built-in ones: a delegate hides its intermediate tensors.

    Args:
        payload: plain model bytes.
        image: how its input tensor is read.
        images: uint8 (N, 28, 28).
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    with suppress_output():
        interpreter = Interpreter(
            model_content=payload,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            experimental_preserve_all_tensors=True,
        )
        interpreter.allocate_tensors()
    tensors = {tensor["index"]: tensor for tensor in interpreter.get_tensor_details()}
    operators = [operator for operator in interpreter._get_ops_details() if operator["op_name"] not in _NO_LAYERS]
    outputs = [tensors[operator["outputs"][0]] for operator in operators]
    source = interpreter.get_input_details()[0]["index"]
    found: list[list[NDArray[np.float32]]] = [[] for _ in operators]
    for tensor in encoder(image)(images):
        interpreter.set_tensor(source, tensor[np.newaxis])
        interpreter.invoke()
        for values, output in zip(found, outputs, strict=True):
            values.append(np.atleast_1d(real_values(interpreter.get_tensor(output["index"]), *output["quantization"])))
    return {
        f"{operator['op_name']}_{index}": Activation(operator["op_name"], np.concatenate(values))
        for index, (operator, values) in enumerate(zip(operators, found, strict=True))
    }


def requirements(payload: bytes) -> dict[str, int]:
    """Return the highest version of each operator in the model."""
    from ai_edge_litert import schema_py_generated as schema

    names = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
    model = schema.Model.GetRootAs(payload, 0)
    versions: dict[str, int] = {}
    for code in (model.OperatorCodes(index) for index in range(model.OperatorCodesLength())):
        name = names[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
        versions[name] = max(code.Version(), versions.get(name, 0))
    return versions


def load_builtin_kernels(payload: bytes, contract: Contract) -> Engine:
    """Load the model into LiteRT's built-in kernels.

    They stand in for those of tflite-runtime, which cannot be loaded beside TensorFlow in one process.
    """
    from ai_edge_litert.interpreter import OpResolverType

    with suppress_output():
        return litert.load(
            payload,
            contract,
            threads=1,
            library="ai_edge_litert.interpreter",
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
