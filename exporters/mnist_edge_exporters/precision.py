"""Rebuild a Keras model of mixed or half precision in float32, with the same weights."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import keras

__all__ = ["in_float32"]

_OTHERS = ("float16", "bfloat16", "float64", "mixed_float16", "mixed_bfloat16")


def in_float32(model: Any) -> Any:
    """Return the model computing in float32 on a float32 input: itself where it does so already."""
    config = keras.saving.serialize_keras_object(model)
    changed = _changed(config)
    if changed == config:
        return model
    rebuilt = keras.saving.deserialize_keras_object(changed, safe_mode=True)
    with tempfile.TemporaryDirectory(prefix="mnist-edge-") as folder:
        weights = Path(folder) / "model.weights.h5"  # by file, for layers that derive more from their weights
        model.save_weights(weights)
        rebuilt.load_weights(weights)
    return rebuilt


def _changed(config: Any) -> Any:
    """Return a serialized model, or a part of one, with float32 in the place of other floats and of integer inputs."""
    if isinstance(config, (list, tuple)):
        return type(config)(_changed(part) for part in config)
    if not isinstance(config, dict):
        return config
    changed = {key: _changed(value) for key, value in config.items()}
    if changed.get("class_name") == "DTypePolicy" and changed["config"].get("name") in _OTHERS:
        changed["config"] = {**changed["config"], "name": "float32"}
    if changed.get("class_name") == "InputLayer":
        changed["config"] = {**changed["config"], "dtype": "float32"}
    if changed.get("dtype") in _OTHERS:
        changed["dtype"] = "float32"
    return changed
