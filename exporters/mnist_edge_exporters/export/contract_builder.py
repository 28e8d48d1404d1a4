"""What the contract of a file says: a draft before the proofs, and what they add."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, replace
from importlib.metadata import version
from typing import Any

from mnist_edge_runtime.model_file.contract import Contract, Payload, SelfTest
from mnist_edge_runtime.model_file.golden import Golden
from mnist_edge_runtime.model_file.sealed_model import SealedModel

from .. import keras_model
from ..converters.base import ConvertedModel
from ..converters.registry import CALIBRATED, distributions
from ..parity.prove import Proof
from ..source import Source
from ..spec import ExportSpec
from . import golden_vectors
from .rejection import Acceptance

__all__ = ["draft", "proven", "unproven"]


def draft(
    source: Source,
    spec: ExportSpec,
    converted: ConvertedModel,
    passport: Mapping[str, Any],
    acceptance: Acceptance | None = None,
) -> Contract:
    """Return the contract without what the proofs will add.

    Args:
        source: the model and its data.
        spec: the cell.
        converted: what its converter made.
        passport: that of the calibration images, which only those cells carry that saw them.
        acceptance: when an answer is to be believed; without it, always.
    """
    return Contract(
        format=str(spec.format),
        quantization=str(spec.quantization),
        labels=source.labels,
        input=converted.input,
        output=replace(converted.output, **asdict(acceptance)) if acceptance else converted.output,
        payload=Payload(len(converted.payload), hashlib.sha256(converted.payload).hexdigest()),
        selftest=SelfTest(
            unit="absolute" if converted.output.dtype == "float32" else "lsb", logits={}, probability=0.0
        ),
        origin={
            **source.origin,
            "parameters": source.model.count_params(),
            "weights_sha256": keras_model.weights_sha256(source.model),
            "calibration": dict(passport) if spec.quantization in CALIBRATED else None,
            "versions": {name: version(name) for name in distributions(spec)},
        },
    )


def unproven(source: Source, spec: ExportSpec, converted: ConvertedModel) -> SealedModel:
    """Return a model to be run here and now, which is never written to a file."""
    return SealedModel(converted.payload, draft(source, spec, converted, {}), b"")


def proven(contract: Contract, proof: Proof, golden: Golden) -> Contract:
    """Return the draft with the figures and the verdict; the report beside the file has every flip."""
    assert proof.report
    figures = proof.report.to_dict()
    del figures["failures"], figures["flips"]
    contract = replace(contract, parity=figures, runtimes=proof.runtimes)
    return replace(contract, selftest=golden_vectors.tolerances(contract, golden))
