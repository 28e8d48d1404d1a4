"""Prove an exported file once more, at any time and against any run."""

from __future__ import annotations

from pathlib import Path

from mnist_edge_runtime import InputError, ModelError
from mnist_edge_runtime.model_file import sealed_model

from ..source import Source
from ..spec import Options, Quantization
from . import comparison
from .prove import Proof, prove
from .targets import targets_for, targets_of
from .tolerance import TOLERANCES

__all__ = ["verify"]


def verify(file: Path, source: Source, options: Options) -> Proof:
    """Hold the file's answers on every target against those of the source's Keras model.

    Raises:
        InputError: the file has other labels than the source.
        ModelError: the file is damaged, or its quantization is unknown.
        UsageError: an unknown target or figure.
    """
    sealed = sealed_model.read(file)
    contract = sealed.contract
    if contract.labels != source.labels:
        raise InputError(f"{file}: its labels are {' '.join(contract.labels)}, the run's {' '.join(source.labels)}")
    if contract.quantization not in [quantization.value for quantization in TOLERANCES]:
        raise ModelError(f"{file}: there is no tolerance for its quantization, {contract.quantization}")
    tolerance = TOLERANCES[Quantization(contract.quantization)].replaced(options.tolerances)
    reference = comparison.reference_probabilities(source.model, source.test[0])
    targets = targets_for(contract.format, options.targets) if options.targets else targets_of(contract)
    return prove(file, sealed, targets, reference, *source.test, tolerance)
