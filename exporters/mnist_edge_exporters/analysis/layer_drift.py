"""Measure the drift of a quantized file from the float model: its noise after each layer."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from mnist_edge_runtime import InputError
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.model_file.contract import Contract
from mnist_edge_runtime.model_file.sealed_model import SealedModel
from mnist_edge_runtime.time_limit import model_limit

from .. import keras_model
from ..converters.base import Activation
from ..converters.calibration import UNCALIBRATED
from ..converters.registry import CONVERTERS
from ..converters.worker import ConverterProcess
from ..parity import metrics
from ..source import Source
from ..spec import ExportSpec, Quantization

__all__ = ["LayerDrift", "is_measurable", "measure", "measure_each", "steepest", "table"]

_IMAGES = 200  # validation images


@dataclass(frozen=True)
class LayerDrift:
    """How far a layer's activations are from those of the float model.

    Attributes:
        name, kind: of the operator in the file.
        shape: of its output, without the batch.
        sqnr_db: signal to quantization noise ratio in dB, of all noise up to here; None where there is no noise, or
            the float layer is all zeros.
        mean_error: the mean difference, whose sign shows a bias.
        max_error: the largest absolute difference.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    sqnr_db: float | None
    mean_error: float
    max_error: float

    @property
    def ratio(self) -> str:
        """The signal to quantization noise ratio for a person."""
        if self.sqnr_db is not None:
            return f"{self.sqnr_db:.1f} dB"
        return "silent" if self.max_error else "no noise"


def is_measurable(contract: Contract) -> bool:
    """Return whether a file is quantized, so that its layers can drift."""
    return contract.quantization != Quantization.NONE


def measure(file: Path, source: Source) -> tuple[LayerDrift, ...]:
    """Compare each layer of the file with that of its float version, on 200 validation images.

    Args:
        file: an exported file; the float version is converted from the source's model.
        source: the model the file was made from.

    Returns:
        The layers in the order of the graph; the last is the logits.

    Raises:
        InputError: the file is not quantized, or was made from another model.
        ModelError: the file is damaged.
    """
    (layers,) = measure_each([file], source)
    return layers


def measure_each(files: Sequence[Path], source: Source) -> Iterator[tuple[LayerDrift, ...]]:
    """Yield for each file what `measure` returns; the float versions are made once, by one converter process."""
    quantized = [_checked(file, source) for file in files]
    if not quantized:
        return
    specs, images = [_float_spec(each) for each in quantized], source.validation[0][:_IMAGES]
    expected: dict[ExportSpec, Mapping[str, Activation]] = {}
    with ConverterProcess(source.model, UNCALIBRATED, list(dict.fromkeys(specs))) as process:
        for file, sealed, spec in zip(files, quantized, specs, strict=True):
            activations = CONVERTERS[spec.format].activations
            if spec not in expected:
                floats = process.convert(spec)
                expected[spec] = activations(floats.payload, floats.input, images)
            with model_limit(file, f"answer {_IMAGES} images"):
                found = activations(sealed.payload, sealed.contract.input, images)
            yield _compared(expected[spec], found)


def _checked(file: Path, source: Source) -> SealedModel:
    sealed = sealed_model.read(file)
    contract = sealed.contract
    if not is_measurable(contract):
        raise InputError(f"{file}: it is not quantized, so nothing in it can drift")
    if contract.origin.get("weights_sha256") != keras_model.weights_sha256(source.own_network):
        raise InputError(f"{file}: made from other weights than those of {source.name}; name its own with --run")
    return sealed


def _float_spec(sealed: SealedModel) -> ExportSpec:
    """Return the float file that a quantized one is compared with."""
    spec = ExportSpec(sealed.contract.format, Quantization.NONE)
    requirements = CONVERTERS[spec.format].requirements(sealed.payload)
    return replace(spec, opset=requirements.get("opset", spec.opset))


def _compared(expected: Mapping[str, Activation], found: Mapping[str, Activation]) -> tuple[LayerDrift, ...]:
    # Layers that the quantizer rearranged have no float layer to compare with.
    comparable = {
        name for name in found if name in expected and found[name].values.shape == expected[name].values.shape
    }
    return tuple(_drift(name, expected[name], layer) for name, layer in found.items() if name in comparable)


def _drift(name: str, expected: Activation, found: Activation) -> LayerDrift:
    error = found.values.astype(np.float64) - expected.values
    sqnr = metrics.sqnr_db(expected.values, found.values)
    return LayerDrift(
        name=name,
        kind=found.kind,
        shape=found.values.shape[1:],
        sqnr_db=sqnr if math.isfinite(sqnr) else None,
        mean_error=float(error.mean()),
        max_error=float(np.abs(error).max()),
    )


def table(layers: Sequence[LayerDrift]) -> str:
    """Return a header and a line for each layer, with a mark where the ratio falls most."""
    width = max(len(layer.name) for layer in layers)
    lines = [f"{'layer':<{width}}  {'output':<12}{'SQNR':>10}{'mean error':>13}{'max error':>12}"]
    worst = steepest(layers)
    for index, layer in enumerate(layers):
        shape = " x ".join(map(str, layer.shape))
        line = f"{layer.name:<{width}}  {shape:<12}{layer.ratio:>10}{layer.mean_error:>+13.2e}{layer.max_error:>12.2e}"
        lines.append(line + ("  <- falls most" if index == worst else ""))
    return "\n".join(lines)


def steepest(layers: Sequence[LayerDrift]) -> int | None:
    """Return the index of the layer whose ratio is furthest below that of the layer before; None where none falls."""
    ratios = [layer.sqnr_db for layer in layers]
    falls = [
        (before - after, index)
        for index, (before, after) in enumerate(pairwise(ratios), start=1)
        if before is not None and after is not None
    ]
    fall, index = max(falls, default=(0.0, 0))
    return index if fall > 0 else None
