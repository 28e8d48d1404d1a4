"""Load a Keras model and check that it is a digit reader, whatever program made it."""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
from mnist_edge_runtime.errors import InputError, ModelError, reason
from mnist_edge_runtime.model_file.formats.registry import for_suffix

from . import input_layers, output_head, own_code, precision

__all__ = ["load", "read", "weights_sha256"]

_KERAS, _HDF5 = (".keras",), (".h5", ".hdf5")
_HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
_SAVE_AGAIN = "save it with model.save('NAME.keras')"
_UNKNOWN = re.compile(r"(?:Could not locate \w+|Unknown \w+:) '([^']+)'")


def load(path: Path, classes: int | None = None) -> Any:
    """Load a Keras model as a network in float32 from images (None, 28, 28, 1) to classes.

    What it takes otherwise gets a layer in front: `input_layers.take_images` says which.

    Args:
        path: a .keras or .h5 file.
        classes: the number of classes of the data that it is for; None to take any.

    Raises:
        InputError: there is no such file, or it has another number of classes.
        ModelError: Keras cannot load it, or it is not a network from an image of 28 x 28 to at least two classes.
    """
    model = read(path)
    try:
        model = input_layers.take_images(precision.in_float32(_of_one_kind(model)))
        output_head.check(model)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None
    found = model.outputs[0].shape[1]
    if classes not in (None, found):
        raise InputError(f"{path}: has {found} classes, the data {classes}; name its own with --data")
    return model


def read(path: Path) -> Any:
    """Load a Keras model of any kind in Keras' safe mode, with the layers that `--import` names.

    Raises:
        InputError: there is no such file.
        ModelError: Keras cannot load it.
    """
    _check_file(path)
    own_code.import_requested()
    try:
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises whatever the archive makes it raise
        raise ModelError(f"{path}: {_why(reason(error), _version(path))}") from None


def _check_file(path: Path) -> None:
    """Refuse by its first bytes what cannot be a Keras model."""
    if (path / "saved_model.pb").exists():
        raise ModelError(
            f"{path}: a SavedModel, which Keras 3 loads without its layers; {_SAVE_AGAIN} in the program that made it"
        )
    if not path.is_file():
        raise InputError(
            f"{path}: no such file; --model takes a .keras or .h5 file, or the name of a published network"
        )
    if path.suffix not in (*_KERAS, *_HDF5):
        exported = for_suffix(path.suffix) is not None
        hint = "name the one that it was exported from" if exported else _SAVE_AGAIN
        raise ModelError(f"{path}: only .keras and .h5 files are loaded; {hint}")
    with path.open("rb") as file:
        is_hdf5 = file.read(len(_HDF5_MAGIC)) == _HDF5_MAGIC
    if is_hdf5 and path.suffix in _KERAS:
        raise ModelError(f"{path}: its content is that of an .h5 file; rename it to {path.stem}.h5")
    if not is_hdf5 and (path.suffix in _HDF5 or not zipfile.is_zipfile(path)):
        raise ModelError(f"{path}: no {path.suffix} file, or one that was cut short; copy it again, or save it again")


def _version(path: Path) -> str:
    """Return the version of Keras that saved the file; empty where it does not say."""
    try:
        if path.suffix in _KERAS:
            with zipfile.ZipFile(path) as archive:
                return str(json.loads(archive.read("metadata.json"))["keras_version"])
        import h5py

        with h5py.File(path) as file:
            return str(file.attrs.get("keras_version", ""))
    except Exception:  # it is told together with a failure, which counts more
        return ""


def _why(said: str, version: str) -> str:
    """Return why Keras cannot load a file and what to do, from its reason and the version that saved the file."""
    if "Lambda" in said and "OpLambda" not in said:
        return (
            "it has a Lambda layer, Python code inside of the file, which is never run; replace it by a layer of "
            "Keras, an operation of keras.ops or a class of your own, which --import MODULE registers"
        )
    if "No model config" in said:
        return f"it has weights alone and no network; {_SAVE_AGAIN}"
    if version.startswith(("1.", "2.")):
        return (
            f"saved by Keras {version}, and Keras {keras.__version__} cannot read it: {said}; save it there with "
            "model.save('NAME.h5') and try that, or build it again in Keras 3 and load its weights"
        )
    if unknown := _UNKNOWN.search(said):
        return (
            f"it uses {unknown[1]!r}, which is not Keras' own; name the Python module that defines it with "
            "--import MODULE"
        )
    return f"Keras cannot load it: {said}"


def weights_sha256(model: Any) -> str:
    """Return the hash of all weights; unlike that of the file it does not depend on the day it was saved."""
    digest = hashlib.sha256()
    for weights in model.get_weights():
        digest.update(str((weights.shape, weights.dtype.str)).encode() + np.ascontiguousarray(weights).tobytes())
    return digest.hexdigest()


def _of_one_kind(model: Any) -> Any:
    """Return the model where it has one input and one output and keeps nothing between pictures.

    A model class of a person's own becomes a functional model around it.
    """
    if isinstance(model, keras.Model) and not getattr(model, "inputs", None):
        model = _around(model)
    inputs, outputs = getattr(model, "inputs", None) or [], getattr(model, "outputs", None) or []
    if len(inputs) != 1 or len(outputs) != 1:
        raise ModelError(
            f"its inputs are {len(inputs)} and its outputs {len(outputs)}; expected one of each: save the part of it "
            "that reads the digit, such as keras.Model(model.inputs[0], model.outputs[0])"
        )
    layers = list(model._flatten_layers())
    if quantized := [layer.name for layer in layers if getattr(layer, "quantization_mode", None)]:
        raise ModelError(
            f"quantized by Keras in {quantized[0]!r}, which no converter reads; save it before model.quantize(), and "
            "choose the quantization with --quantize"
        )
    if stateful := [layer.name for layer in layers if getattr(layer, "stateful", False)]:
        raise ModelError(
            f"{stateful[0]!r} is stateful: its answer depends on the pictures before; build it with stateful=False "
            "and load the same weights"
        )
    return model


def _around(model: Any) -> Any:
    """Return a functional model around one of a class that does not show its layers."""
    shape = (model.get_build_config() or {}).get("input_shape")
    if not isinstance(shape, (list, tuple)) or not all(isinstance(axis, (int, type(None))) for axis in shape):
        raise ModelError("it does not say what its input is; build it as a Sequential or functional model")
    image = keras.Input(shape[1:])
    try:
        return keras.Model(image, model(image), name=model.name)
    except Exception as error:  # it is code of any kind
        raise ModelError(f"its own class {type(model).__name__} cannot be called: {reason(error)}") from None
